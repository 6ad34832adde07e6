#!/usr/bin/env bash
# Climbs on the book's photographs, in a copy beside the workspace, and fetches the reports.
# The workspace's own params.yaml, dvc.lock and data stay as they are.
# A recipe is a list of overrides, on top of those of dogs_vs_cats.
set -euo pipefail
export PYTHONPATH=src  # the copy's own code, whatever happens to the workspace meanwhile
# DVC commits experiments, and git may not know yet who works here.
git config user.email > /dev/null || export GIT_{AUTHOR,COMMITTER}_NAME=ladder \
  GIT_{AUTHOR,COMMITTER}_EMAIL=ladder@localhost
recipe=$1 archive=$2
lists=(recipes/dogs_vs_cats.txt) name=book reports=reports/dogs_vs_cats target=reports/dogs_vs_cats
if [ "$recipe" != dogs_vs_cats ]; then
  lists+=("recipes/$recipe.txt") name=book-${recipe//_/-} target=$reports/$recipe
fi
if [ ! -f "recipes/$recipe.txt" ]; then
  echo "ladder: RECIPE: expected one of $(cd recipes && echo *.txt). Received: $recipe" >&2
  exit 1
fi
mapfile -t overrides < <(sed -E 's/[[:space:]]*#.*//; /^$/d' "${lists[@]}")
if [ -n "$archive" ]; then
  LADDER_ARCHIVE=$(python -c 'import os, sys; print(os.path.abspath(sys.argv[1]))' "$archive")
  export LADDER_ARCHIVE
  overrides+=("dataset.archive_sha256=$(python -m ladder.sources "$LADDER_ARCHIVE")")
fi
if [ -n "$(git for-each-ref "refs/exps/*/*/$name")" ]; then dvc exp remove --quiet "$name"; fi
dvc exp run --temp --name "$name" "${overrides[@]/#/--set-param=}"
commit=$(git for-each-ref --format='%(objectname)' "refs/exps/*/*/$name")
mkdir -p "$target"
git archive "$commit:$reports" climb.lock predictions figures \
  {ladder,paired,book,calibration,duplicates,suspects}.csv | tar -x -C "$target"
python -m ladder.report "$target"
