#!/bin/sh
# The recipe of the notebook that this project began as, as near as its parts allow. Its
# one change: validation beats are held out before SMOTE, so that they are real. Dropout
# rates are a guess (0.1; 0.25 scored lower).
#
#     benchmarks/original_recipe.sh PATH_TO_MITBIH [more options of ecg-sklearn train]
set -eu
data=$1
shift
exec ecg-sklearn train --data "$data" --protocol kaggle --preset notebook \
  --validation 0.2 --features none --output runs/original "$@"
