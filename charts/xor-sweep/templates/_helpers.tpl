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

{{/* The name is not .Chart.Name, which is the alias of a subchart: the program asks for this one. */}}
{{- define "xor-sweep.selectorLabels" -}}
app.kubernetes.io/name: xor-sweep
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "xor-sweep.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
{{ include "xor-sweep.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | replace "+" "_" | trunc 63 | trimAll "-_." | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{- define "xor-sweep.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "xor-sweep.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Whether any pod asks the cluster's API; empty where none does. */}}
{{- define "xor-sweep.watches" -}}
{{- if or .Values.driver.enabled .Values.retrain.schedule }}true{{ end }}
{{- end }}

{{- define "xor-sweep.retrain" -}}
{{- printf "%s-retrain" (include "xor-sweep.fullname" .) }}
{{- end }}

{{- define "xor-sweep.image" -}}
{{- $image := .Values.image }}
{{- if $image.digest }}
{{- printf "%s@%s" $image.repository $image.digest }}
{{- else }}
{{- printf "%s:%s" $image.repository (include "xor-sweep.imageTag" .) }}
{{- end }}
{{- end }}

{{- define "xor-sweep.imageTag" -}}
{{- .Values.image.tag | default (printf "%s%s" .Chart.AppVersion (ternary "-gpu" "" .Values.gpu.enabled)) }}
{{- end }}

{{/* The claim that holds the runs; empty where they go to a bucket. */}}
{{- define "xor-sweep.claim" -}}
{{- if not (hasPrefix "gs://" .Values.sweep.output) }}
{{- .Values.claim.existing | default (include "xor-sweep.fullname" .) }}
{{- end }}
{{- end }}

{{/* A map without the keys that were set to null: Helm 4 keeps those when an upgrade reuses values. */}}
{{- define "xor-sweep.withoutNulls" -}}
{{- $kept := dict }}
{{- range $key, $value := . }}
{{- if kindIs "map" $value }}
{{- $_ := set $kept $key (include "xor-sweep.withoutNulls" $value | fromYaml) }}
{{- else if not (kindIs "invalid" $value) }}
{{- $_ := set $kept $key $value }}
{{- end }}
{{- end }}
{{- toYaml $kept }}
{{- end }}

{{/* A quantity as a string: Helm has whole numbers as floating-point numbers, and prints large ones with an exponent. */}}
{{- define "xor-sweep.quantity" -}}
{{- ternary (int64 .) . (kindIs "float64" .) | toString | quote }}
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

{{/* The axes of the grid, the slowest first, each a list; as job/settings/sweep.py's AXES. */}}
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

{{/* A trial's name, as job/settings/grid.py makes it: (dict "axes" the axes "trial" its index in the grid). */}}
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
