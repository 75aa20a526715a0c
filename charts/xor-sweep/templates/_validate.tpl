{{/*
Refuses what would go wrong silently, and says what would be right. The API server or the program reports everything
else, and its messages reach the user unchanged.
*/}}
{{- define "xor-sweep.validate" -}}
{{- range $name, $value := .Values }}
{{- if not (toYaml $value) }}{{/* toYaml hides its error, and the value would be lost. */}}
{{- fail (printf "%s: it contains a character that YAML does not allow, such as U+007F: remove the character" $name) }}
{{- end }}
{{- end }}
{{- $sweep := .Values.sweep }}
{{- $bucket := not (include "xor-sweep.claim" .) }}
{{- if or (not (regexMatch "^([a-z][a-z0-9+.-]*://[^/]|/output(/|$))" $sweep.output)) (and (not $bucket) (has ".." (splitList "/" $sweep.output))) }}
{{- fail (printf "sweep.output: '%s' would be lost with its pod: use a bucket, such as gs://bucket/prefix, or /output or a folder in it, which is on the volume claim" $sweep.output) }}
{{- end }}
{{- if and $bucket .Values.claim.existing }}
{{- fail (printf "claim.existing: nothing would be written to '%s', because sweep.output is '%s': leave claim.existing empty, or set sweep.output=/output" .Values.claim.existing $sweep.output) }}
{{- end }}
{{- if has "ReadWriteOncePod" .Values.claim.accessModes }}
{{- fail "claim.accessModes: with ReadWriteOncePod, the driver and the trials would wait for each other forever: use ReadWriteOnce or ReadWriteMany" }}
{{- end }}
{{- $trials := include "xor-sweep.trialCount" . | int64 }}
{{- $limits := (.Files.Get "grid.json" | fromJson).limits }}
{{- if gt $trials (int64 $limits.trials) }}
{{- fail (printf "sweep: the grid has %d trials, more than %d: give its axes fewer values" $trials (int64 $limits.trials)) }}
{{- end }}
{{- if gt (mul (int64 $sweep.replicates) (int64 $sweep.epochs)) (int64 $limits.replicateEpochs) }}
{{- fail (printf "sweep: %d replicates x %d epochs are more than %d: use fewer replicates or epochs" (int64 $sweep.replicates) (int64 $sweep.epochs) (int64 $limits.replicateEpochs)) }}
{{- end }}
{{- if and .Values.gpu.enabled (eq $sweep.device "cpu") }}
{{- fail "gpu.enabled: each pod would take a GPU and leave it idle, because sweep.device is cpu: use sweep.device=auto, or gpu.enabled=false" }}
{{- end }}
{{- if and (not .Values.gpu.enabled) (eq $sweep.device "gpu") (not .Values.runtimeClassName) }}{{/* A runtime class may show a pod the GPUs of its node. */}}
{{- fail "sweep.device: no pod would get the GPU that it needs, because gpu.enabled is false: set gpu.enabled=true" }}
{{- end }}
{{- range .Values.extraEnv }}
{{- $name := toString .name }}
{{- if eq $name "JOB_COMPLETION_INDEX" }}
{{- fail "extraEnv: JOB_COMPLETION_INDEX tells each pod its trial, so every pod would train the same one: use another name" }}
{{- end }}
{{- if and (hasPrefix "XOR_SWEEP_" $name) (not (has $name (list "XOR_SWEEP_LOG_FORMAT" "XOR_SWEEP_DEBUG"))) }}
{{- $key := $name | trimPrefix "XOR_SWEEP_" | lower }}
{{- fail (printf "extraEnv: %s would override what the chart sets: %s" $name (ternary (printf "set sweep.%s instead" $key) "remove it" (hasKey $sweep $key))) }}
{{- end }}
{{- end }}
{{- if and (include "xor-sweep.watches" .) .Values.rbac.create (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) }}
{{- fail "serviceAccount.name: the driver's role would go to the namespace's default account, and with it to other pods: name an account, or set serviceAccount.create=true" }}
{{- end }}
{{- end }}
