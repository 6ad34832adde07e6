#!/usr/bin/env bash
# Climbs with the overrides of a recipe, in a copy beside the workspace, and fetches the reports.
# The workspace's own params.yaml, dvc.lock and data stay as they are.
set -euo pipefail
export PYTHONPATH=src  # the copy's own code, whatever happens to the workspace meanwhile
recipe=$1 archive=$2
list=recipes/$recipe.txt
[ -f "$list" ] || { echo "ladder: RECIPE: expected one of $(cd recipes && echo *.txt). Received: $recipe" >&2; exit 1; }
mapfile -t overrides < <(sed -E 's/[[:space:]]*#.*//; /^$/d' "$list")
if [ -n "$archive" ]; then
  LADDER_ARCHIVE=$(python -c 'import os, sys; print(os.path.abspath(sys.argv[1]))' "$archive")
  export LADDER_ARCHIVE
  overrides+=("dataset.archive_sha256=$(python -m ladder.sources "$LADDER_ARCHIVE")")
fi
name=book
[ "$recipe" = dogs_vs_cats ] || name=book-${recipe//_/-}
reports=reports/dogs_vs_cats target=$reports
[ "$recipe" = dogs_vs_cats ] || target=$reports/$recipe
if [ -n "$(git for-each-ref "refs/exps/*/*/$name")" ]; then dvc exp remove --quiet "$name"; fi
dvc exp run --temp --name "$name" "${overrides[@]/#/--set-param=}"
commit=$(git for-each-ref --format='%(objectname)' "refs/exps/*/*/$name")
mkdir -p "$target"
git archive "$commit:$reports" | tar -x -C "$target"
python -m ladder.report "$target"
