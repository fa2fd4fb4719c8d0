"""Examples and explanations that --help shows, one text a command."""

_FILES_AND_CODE = """\
Files with the suffix .ecgsk run no code. A pickle (.joblib) does: a warning comes
before one is opened."""

ANALYZE = f"""\
examples:
  ecg-sklearn analyze holter.edf                    # findings on the terminal
  ecg-sklearn analyze holter.edf -o page.html
  ecg-sklearn analyze holter.edf --csv beats.csv --events events.csv --json all.json
  ecg-sklearn analyze mitdb/100 --lead V5 --model runs/offline/model.ecgsk
  ecg-sklearn analyze mitdb/100 --annotator cnn     # writes mitdb/100.cnn
  ecg-sklearn analyze mitdb/100 --beats atr         # counts the marked beats
  ecg-sklearn analyze mitdb/*.hea -o results/ --jobs 4

An input is a recording of any format that predict reads. 100, 100.hea and 100.dat name
the same WFDB record, which is analysed once. A folder is no input: name its files.

Findings are printed: burden of ventricular (VEB) and supraventricular (SVEB) beats,
couplets, runs, pauses, heart rate and irregular minutes. They are those of one lead,
and not a diagnosis. Of several recordings, a table with one line for each is printed.

-o FOLDER gets, for each recording, NAME.html, NAME.json, NAME.beats.csv and
NAME.events.csv, and summary.csv with one row for each. NAME is that of the file;
recordings of the same name get the folder or the suffix in front or behind. One that
cannot be read does not stop the others: its error is in the table, and the exit code
is 1.

{_FILES_AND_CODE}"""

TRAIN = """\
examples:
  ecg-sklearn train --preset inter-patient --data mitdb/ --data svdb/
  ecg-sklearn train --preset inter-patient --data mitdb/ --data svdb/ --causal
  ecg-sklearn train --preset inter-patient --data mitdb/ --rhythm
  ecg-sklearn train --preset kaggle --data mitdb/
  ecg-sklearn train --data svdb/ --test-data mitdb/ --lead ECG1,MLII
  ecg-sklearn train --data mitbih_train.csv --test-data mitbih_test.csv
  ecg-sklearn train --data simulated --epochs 5 --output runs/try
  ecg-sklearn train --data mitdb/ --resume          # goes on after a Ctrl-C
  ecg-sklearn train --data mitdb/ --sampler smote --param smote__k_neighbors=3 \\
      --param spectrogram__nperseg=32 --param cnn__pooling=max

--data is a folder of annotated WFDB records, a CSV file of the Kaggle heartbeat
form, or "simulated". Several folders are joined, and their records are named with
the folder (svdb/800). The default is MIT-BIH in $ECG_SKLEARN_DATA or
~/ecg_sklearn_data. "ecg-sklearn data fetch" downloads it.

protocols:
  kaggle         the official split of MIT-BIH; all 48 patients are in both parts
  inter-patient  other patients in the test: MIT-BIH is split into DS1 (training) and
                 DS2 (test), and other databases beside it are for training; without
                 MIT-BIH, a quarter of the records is the test; --test-data FOLDER is
                 another test. Paced and unclassifiable beats (Q) are left out
The default is kaggle for MIT-BIH alone, CSV files and simulated beats, and
inter-patient for other databases, with --preset inter-patient, --offline and --causal.

presets:
  inter-patient  for patients that the model has not met: trees on features, with
                 calibrated probabilities, as the shipped models: make_calibrated_trees.
                 --offline (the default) sees the whole record, and is for files;
                 --causal sees nothing beyond the next beat, and is for streams too
  kaggle, kaggle-features, notebook
                 networks for the protocol kaggle (make_ecg_pipeline)
With --network, inter-patient is a network too, which can be exported as one graph. With
--rhythm, the network of any preset votes with trees, and knows the record so far
(make_ecg_ensemble): the best scores on DS2. The default is the preset of the protocol.

features (groups of columns behind the samples, of records only):
  rr          RR intervals close to the beat
  morphology  similarity to the beats before it
  rhythm      RR intervals further away, and what the record has shown so far
  record_rr, record_morphology, record_shape
              the beat compared with all of its record, before and after it

A network with features cannot classify rows of a CSV file: use --features none.
--rhythm adds the groups rr and rhythm. The features of trees are given: rr, morphology
and rhythm for --causal, rr and those of the record for --offline.

The state of the training of a network is kept in the folder OUTPUT.training/ after each
epoch, until the output is written. Trees are fitted in minutes, and print which fold of
the records they are at."""

EVALUATE = f"""\
examples:
  ecg-sklearn evaluate runs/kaggle/model.ecgsk --data mitdb/
  ecg-sklearn evaluate runs/kaggle/model.ecgsk --data mitbih_test.csv
  ecg-sklearn evaluate runs/offline/model.ecgsk --data mitdb/ -o ds2.json
  ecg-sklearn evaluate runs/inter-patient/model.ecgsk --data svdb/
  ecg-sklearn evaluate runs/inter-patient/model.ecgsk --data svdb/ --detect

Printed are the scores of each class, the figures of EC57 of each record and of all, and
95 % intervals over records. Of other databases than MIT-BIH, all records are used, or
those of --records. --detect finds the beats itself, and counts missed and extra beats
as bxb does.

{_FILES_AND_CODE}"""

REPORT = f"""\
examples:
  ecg-sklearn report runs/kaggle/model.ecgsk --data mitdb/ -o report.html
  ecg-sklearn report runs/offline/model.ecgsk --data mitdb/ --subset ds2
  ecg-sklearn report runs/inter-patient/model.ecgsk --data svdb/ -o svdb.html

One self-contained page: scores with intervals, EC57, records, mistakes, model card.

{_FILES_AND_CODE}"""

PREDICT = f"""\
examples:
  ecg-sklearn predict model.ecgsk holter.edf -o beats.csv
  ecg-sklearn predict model.ecgsk mitdb/100 --lead V5
  ecg-sklearn predict model.ecgsk signal.csv --rate 250 --unit uV
  ecg-sklearn predict model.ecgsk mitdb/100 --beats atr       # beats that are marked
  ecg-sklearn predict model.ecgsk mitdb/100 --annotator cnn   # writes mitdb/100.cnn
  ecg-sklearn predict model.ecgsk beats.csv                   # rows of single beats

The input is a recording: WFDB (100, 100.hea and 100.dat name the same record), EDF,
BDF, DICOM, ISHNE, CSV, Apple Health, Kardia and others, recognised by content. The
beats are detected, unless --beats names annotations of a WFDB record. A CSV file of
187 columns, or 188 with a label, holds single beats of the Kaggle heartbeat form.

Each row of the output has the record, the time of the beat in s, its clock time if
the recording knows its start, its class, and the probability of each class. Nothing
is counted in stretches that cannot be read. With --annotator, WAVE, LightWAVE and bxb
can read the classes.

{_FILES_AND_CODE}"""

EXPORT = f"""\
examples:
  ecg-sklearn export causal -o causal.onnx
  ecg-sklearn export runs/kaggle/model.ecgsk -o model.onnx
  ecg-sklearn export runs/kaggle/model.ecgsk -o model.tflite

The graph goes from the columns of a beat to the probabilities of its classes. It is
compared with the model before it is written. Networks and forests of trees can be
exported; trees as ONNX alone. An ensemble of several models cannot, and no model that
sees the whole record, such as "offline".

{_FILES_AND_CODE}"""

DATA = """\
examples:
  ecg-sklearn data fetch                       # to $ECG_SKLEARN_DATA or ~
  ecg-sklearn data fetch --data mitdb/
  ecg-sklearn data fetch --data svdb/ --database svdb
  ecg-sklearn data verify --data mitdb/        # SHA-256 of all 144 files
  ecg-sklearn data counts --data mitdb/        # beats of each class and subset

No other command downloads anything."""

DEMO = """\
examples:
  ecg-sklearn demo
  ecg-sklearn demo --output my-first-run --overwrite

Simulates beats of 60 patients, trains on 45 of them and tests on the other 15. Then
simulates a recording of ten minutes, analyses it with a shipped model, and writes its
page."""
