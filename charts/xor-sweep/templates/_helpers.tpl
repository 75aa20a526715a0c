{{/*
Names, labels, and what several objects have in common.
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

{{/* The run's name, which is also its Job's. A Job's template is immutable, so each revision of a release has its own. */}}
{{- define "xor-sweep.run" -}}
{{- printf "%s-r%d" (include "xor-sweep.fullname" .) .Release.Revision }}
{{- end }}

{{/* The program looks for this name, so it is not .Chart.Name, which a subchart's alias changes. */}}
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

{{/* Whether any pod uses the Kubernetes API; empty if none does. */}}
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
{{- .Values.image.tag | default (printf "%s%s" (.Chart.AppVersion | replace "+" "_") (ternary "-gpu" "" .Values.gpu.enabled)) }}
{{- end }}

{{/* The volume claim that the output is on; empty if the output is a bucket. */}}
{{- define "xor-sweep.claim" -}}
{{- if hasPrefix "/output/" (printf "%s/" .Values.sweep.output) }}
{{- .Values.claim.existing | default (include "xor-sweep.fullname" .) }}
{{- end }}
{{- end }}

{{/* A quantity as a string. Helm turns whole numbers into floating-point numbers, and prints large ones with an exponent. */}}
{{- define "xor-sweep.quantity" -}}
{{- ternary (int64 .) . (kindIs "float64" .) | toString | quote }}
{{- end }}

{{/* When a finished Job is removed; empty if it stays. */}}
{{- define "xor-sweep.ttl" -}}
{{- if ne (toString .Values.ttlSecondsAfterFinished) "never" }}
ttlSecondsAfterFinished: {{ int64 .Values.ttlSecondsAfterFinished }}
{{- end }}
{{- end }}
