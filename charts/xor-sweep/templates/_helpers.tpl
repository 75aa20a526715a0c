{{/*
Names and labels.
*/}}

{{- define "xor-sweep.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride }}
{{- else if contains .Chart.Name .Release.Name }}
{{- .Release.Name }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name }}
{{- end }}
{{- end }}

{{/* The run's name, which is its Job's: a Job's template is immutable, so each revision of the release has its own. */}}
{{- define "xor-sweep.run" -}}
{{- printf "%s-r%d" (include "xor-sweep.fullname" .) .Release.Revision }}
{{- end }}

{{- define "xor-sweep.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "xor-sweep.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "xor-sweep.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "xor-sweep.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "xor-sweep.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "xor-sweep.image" -}}
{{- $image := .Values.image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository ($image.tag | default (printf "%s%s" .Chart.AppVersion (ternary "-gpu" "" .Values.gpu.enabled))) }}
{{- end }}
{{- end }}

{{/* The claim that holds the runs; empty where they go to a bucket. */}}
{{- define "xor-sweep.claim" -}}
{{- if not (hasPrefix "gs://" .Values.sweep.output) }}
{{- .Values.claim.existing | default (include "xor-sweep.fullname" .) }}
{{- end }}
{{- end }}

{{/*
The sweep, as the program reads and counts it.
*/}}

{{- define "xor-sweep.device" -}}
{{- if eq .Values.sweep.device "auto" }}
{{- ternary "gpu" "cpu" .Values.gpu.enabled }}
{{- else }}
{{- .Values.sweep.device }}
{{- end }}
{{- end }}

{{- define "xor-sweep.sweepFile" -}}
{{- merge (dict "device" (include "xor-sweep.device" .)) .Values.sweep | toYaml }}
{{- end }}

{{/* The axes of the grid, the slowest first, each a list; as job/config.py's AXES. */}}
{{- define "xor-sweep.axes" -}}
{{- $axes := list }}
{{- range $axis := list "layers" "neurons" "activation" "loss" "optimizer" "learning_rate" }}
{{- $value := index $.Values.sweep $axis }}
{{- $axes = append $axes (ternary $value (list $value) (kindIs "slice" $value)) }}
{{- end }}
{{- toJson $axes }}
{{- end }}

{{- define "xor-sweep.trialCount" -}}
{{- $count := 1 }}
{{- range include "xor-sweep.axes" . | fromJsonArray }}
{{- $count = mul $count (len .) }}
{{- end }}
{{- $count }}
{{- end }}

{{- define "xor-sweep.podCount" -}}
{{- $trials := include "xor-sweep.trialCount" . | int64 }}
{{- $each := int64 .Values.sweep.trials_per_pod }}
{{- div (sub (add $trials $each) 1) $each }}
{{- end }}

{{/* A trial's name, as job/grid.py makes it: (dict "axes" the axes "trial" its index in the grid). */}}
{{- define "xor-sweep.trialName" -}}
{{- $name := "" }}
{{- $rest := .trial }}
{{- range $position := list 5 4 3 2 1 0 }}
{{- $values := index $.axes $position }}
{{- $value := index $values (mod $rest (len $values) | int) }}
{{- $rest = div $rest (len $values) }}
{{- if or (lt $position 2) (gt (len $values) 1) }}
{{- $name = printf "-%s%v%s" (get (dict "0" "l" "1" "n" "5" "lr") (toString $position)) $value $name }}
{{- end }}
{{- end }}
{{- trimPrefix "-" $name }}
{{- end }}

{{/*
What no cluster could run is refused here, before anything is created; values.schema.json has refused wrong types,
keys and ranges by then.
*/}}
{{- define "xor-sweep.validate" -}}
{{- $fullname := include "xor-sweep.fullname" . }}
{{- if gt (len $fullname) 44 }}
{{- fail (printf "the objects' name '%s' has %d characters; at most 44 leave room for what Kubernetes appends to it: give the release a name of at most 34, or set fullnameOverride" $fullname (len $fullname)) }}
{{- end }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" $fullname) }}
{{- fail (printf "the objects' name '%s' cannot be one, because a-z, 0-9 and '-' are all it may have: give the release another name, or set fullnameOverride" $fullname) }}
{{- end }}
{{- $sweep := .Values.sweep }}
{{- if not (regexMatch "^(gs://[a-z0-9][a-z0-9._-]+[a-z0-9](/.*)?|/output(/.*)?)$" $sweep.output) }}
{{- fail (printf "sweep.output: '%s' is no place for results: give gs://bucket/prefix, or /output for a volume claim" $sweep.output) }}
{{- end }}
{{- if and (hasPrefix "gs://" $sweep.output) .Values.claim.existing }}
{{- fail (printf "claim.existing is '%s', but sweep.output is '%s': give one of them (with a claim, sweep.output=/output)" .Values.claim.existing $sweep.output) }}
{{- end }}
{{- $trials := include "xor-sweep.trialCount" . | int64 }}
{{- if gt $trials 100000 }}
{{- fail (printf "sweep: the grid has %d trials; at most 100000 are possible: give the axes fewer values" $trials) }}
{{- end }}
{{- if gt (mul (int64 $sweep.replicates) (int64 $sweep.epochs)) 250000000 }}
{{- fail (printf "sweep: %d replicates x %d epochs are more than 250000000: give fewer of one" (int64 $sweep.replicates) (int64 $sweep.epochs)) }}
{{- end }}
{{- if .Values.gpu.enabled }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$" .Values.gpu.resourceName) }}
{{- fail (printf "gpu.enabled is true, but gpu.resourceName '%s' is no resource: give its name, such as nvidia.com/gpu" .Values.gpu.resourceName) }}
{{- end }}
{{- if lt (int64 .Values.gpu.count) 1 }}
{{- fail (printf "gpu.enabled is true, but gpu.count is %d: give a whole number from 1" (int64 .Values.gpu.count)) }}
{{- end }}
{{- if eq $sweep.device "cpu" }}
{{- fail "gpu.enabled is true, but sweep.device is cpu: each pod would take a GPU and leave it idle; leave sweep.device out" }}
{{- end }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if and (hasPrefix "XOR_SWEEP_" .name) (not (has .name (list "XOR_SWEEP_LOG_FORMAT" "XOR_SWEEP_DEBUG"))) }}
{{- fail (printf "extraEnv: %s would go before the sweep file: set sweep.%s instead" .name (.name | trimPrefix "XOR_SWEEP_" | lower)) }}
{{- end }}
{{- end }}
{{- end }}
