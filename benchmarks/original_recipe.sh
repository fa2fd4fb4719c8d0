#!/bin/sh
# The recipe of the notebook that this project began as, as near as its parts allow:
# 64-sample segments with half overlap, each beat's spectrogram min-max scaled by itself,
# SMOTE, max pooling, AdamW at 1e-3, learning rate on plateau, best weights kept. Its one
# change: validation beats are held out before SMOTE, so that they are real. Dropout rates
# are a guess (0.1; 0.25 scored lower).
#
#     benchmarks/original_recipe.sh PATH_TO_MITBIH [more options of ecg-sklearn train]
set -eu
data=$1
shift
exec ecg-sklearn train --data "$data" --protocol kaggle --sampler smote --epochs 10 \
  --validation 0.2 --no-context \
  --param spectrogram__phase=False --param cnn__residual=[] \
  --param cnn__label_smoothing=0.0 --param cnn__dense_dropout=0.1 \
  --param scaler__with_std=True \
  --param spectrogram__nperseg=64 --param spectrogram__noverlap=32 \
  --param spectrogram__nfft=None --param spectrogram__freq_range=None \
  --param spectrogram__normalize=sample \
  --param cnn__pooling=max --param cnn__dropout=0.1 --param cnn__learning_rate=1e-3 \
  --param cnn__weight_decay=4e-3 --param cnn__lr_schedule=plateau \
  --param cnn__early_stopping=True --output runs/original "$@"
