#!/usr/bin/env bash
# Run with a few settings and print what each gives and costs; the last run is the default one again.
set -euo pipefail

printf '%-55s %6s %6s %12s\n' "--params" "P@1" "R@10" "evaluation s"
for setting in "" search.beam_size=5 refinement.memory=null \
    disentanglement.reassignment.max_clusters_per_label=1; do
    kedro run --only-missing-outputs ${setting:+"--params=$setting"} > /dev/null 2>&1
    larix metrics --env=local --json | python -c '
import json, sys
run = json.load(sys.stdin)
metrics, seconds = run["metrics"], run["seconds"]
quality = [f"{100 * metrics[name]:6.2f}" for name in ("P@1", "R@10")]
print(f"{sys.argv[1]:55}", *quality, f"{seconds['"'evaluation'"']:12.1f}")
' "${setting:-(default)}"
done
kedro run --only-missing-outputs > /dev/null 2>&1
