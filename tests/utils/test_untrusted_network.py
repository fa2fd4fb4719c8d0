"""Configs of networks from strangers: refused before Keras reads them."""

import copy
import json
import time

import keras
import pytest

from ecg_sklearn.utils._untrusted_network import network_config


@pytest.fixture(scope="module")
def config():
    """A network with a layer of each kind that the attacks change."""
    inputs = keras.Input((12, 47, 1))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.TimeDistributed(keras.layers.Flatten(), name="each")(x[:, 1:])
    x = keras.layers.GRU(4, kernel_regularizer="l2", name="gru")(x)
    outputs = keras.layers.Dense(5, activation="softmax", name="dense")(x)
    return json.loads(keras.Model(inputs, outputs).to_json())


def layer(config, name):
    return next(one for one in config["config"]["layers"] if one["name"] == name)


def put(name, key, value):
    """Make an edit of the config of a layer."""
    return lambda config: layer(config, name)["config"].update({key: value})


def replace(name, **facts):
    """Make an edit of the node of a layer."""
    return lambda config: layer(config, name).update(facts)


def dense(**config):
    return {"module": "keras.layers", "class_name": "Dense", "config": config}


def deep(n, value=0):
    for _ in range(n):
        value = [value]
    return value


FUNCTION = {"module": "builtins", "class_name": "function", "config": "eval"}
LAMBDA = {"class_name": "__lambda__", "config": {"value": "4wEA"}}
MODEL = {"module": "keras", "class_name": "Sequential", "config": {"layers": []}}
POLICY = {"module": "keras", "class_name": "DTypePolicy"}
GRU = "layer 'gru'"


def test_it_is_read_without_what_keras_finds_out(config):
    read = network_config(json.dumps(config))
    again = keras.saving.deserialize_keras_object(copy.deepcopy(read))
    assert again.count_params() == 4 * 9 + 4 + 3 * (180 * 4 + 4 * 4 + 2 * 4) + 5 * 5
    assert "build_config" in json.dumps(config)
    assert "build_config" not in json.dumps(read)
    assert network_config(json.dumps(read)) == read


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replace("gru", class_name="Lambda"), f"a keras.layers.Lambda in {GRU}"),
        (replace("gru", class_name="TFSMLayer"), "TFSMLayer"),
        (replace("gru", class_name="TorchModuleWrapper"), "TorchModuleWrapper"),
        (replace("gru", module="builtins", class_name="eval"), "a builtins.eval in"),
        (replace("gru", module="os", class_name="system"), "a os.system in"),
        (replace("gru", module="keras.src.layers"), "a keras.src.layers.GRU"),
        (replace("gru", module="keras.utils", class_name="get_file"), "get_file"),
        (replace("gru", module=None), "a GRU in"),
        (replace("gru", registered_name="Custom>GRU"), "a registered 'Custom>GRU'"),
        (replace("gru", shared_object_id=1), r"a GRU with \['shared_object_id'\]"),
        (put("gru", "activation", "eval"), "activation='eval' in"),
        (put("gru", "activation", "os.system"), "activation='os.system' in"),
        (put("gru", "recurrent_activation", ["tanh"]), "recurrent_activation="),
        (put("gru", "activation", FUNCTION), "a builtins.function as"),
        (put("gru", "activation", LAMBDA), "a __lambda__ as"),
        (put("gru", "activation", {"value": "4wEA"}), "activation={'value'"),
        (put("gru", "kernel_initializer", "Custom>zeros"), "kernel_initializer="),
        (put("gru", "kernel_initializer", "zeros"), "kernel_initializer="),
        (put("gru", "kernel_regularizer", "mine"), "kernel_regularizer='mine'"),
        (put("gru", "activation", dense()), "a keras.layers.Dense as activation"),
        (put("gru", "bias_constraint", dense()), "a keras.layers.Dense as constraint"),
        (put("gru", "units", dense()), "a keras.layers.Dense as units"),
        (put("gru", "name", "Custom>name"), "name='Custom>name'"),
        (put("gru", "dtype", "int8_from_float32"), "dtype='int8_from_float32'"),
        (put("gru", "dtype", POLICY | {"config": {"name": "int8"}}), "dtype='int8'"),
        (put("gru", "units", 10**9), "units=1000000000 in"),
        (put("gru", "units", -(10**9)), "units=-1000000000"),
        (put("gru", "units", [[2**17]]), "units=131072"),
        (put("gru", "units", float("inf")), "units=inf"),
        (put("gru", "seed", 10**30), "seed=1000"),
        (put("gru", "unroll", True), "unroll=True in"),
        (put("gru", "stateful", True), "stateful=True in"),
        (put("gru", "units", {"class_name": "__tensor__", "config": 0}), "__tensor__"),
        (put("gru", "units", deep(200)), "nested too deep"),
        (put("each", "layer", MODEL), "a keras.Sequential as layer in layer 'each'"),
        (lambda c: c.update(MODEL), "a keras.Sequential, which"),
        (lambda c: c["config"]["layers"].extend([dense()] * 1100), "over 256 layers"),
        (lambda c: layer(c, "gru")["inbound_nodes"].extend([[]] * 1100), "over 256"),
        (lambda c: c["config"].update(name="a" * 2**21), "longer than 1 MB"),
        (lambda c: c["config"]["layers"].extend([dense(a=1)] * 20_000), "1 MB"),
    ],
)
def test_attacks(config, edit, message):
    forged = copy.deepcopy(config)
    edit(forged)
    text = json.dumps(forged)
    start = time.process_time()
    with pytest.raises(ValueError, match=message):
        network_config(text)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", ["[" * 10**5, '{"a":' * 10**5, 3, None])
def test_what_is_no_config(text):
    with pytest.raises((ValueError, RecursionError)):
        network_config(text)
