{{/*
The sweep as the program reads it, and the grid as the program counts and names its trials.
*/}}

{{/* What `auto` means depends on whether the pods get a GPU, so that a pod without its GPU fails. */}}
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

{{/* The axes of the grid in their order: what grid.json says of each, and a list of its values. */}}
{{- define "xor-sweep.axes" -}}
{{- $axes := list }}
{{- range ($.Files.Get "grid.json" | fromJson).axes }}
{{- $value := index $.Values.sweep .name }}
{{- $axes = append $axes (merge (dict "values" (ternary $value (list $value) (kindIs "slice" $value))) .) }}
{{- end }}
{{- toJson $axes }}
{{- end }}

{{- define "xor-sweep.trialCount" -}}
{{- $axes := include "xor-sweep.axes" . | fromJsonArray }}
{{- $count := 0 }}
{{- range (first $axes).values }}
{{- $count = include "xor-sweep.trialsOfLayers" (dict "axes" $axes "layers" .) | add $count }}
{{- end }}
{{- $count }}
{{- end }}

{{/*
How many trials have this number of hidden layers: (dict "axes" the axes "layers" the number). Without a hidden layer,
the axes of hidden layers change nothing, so they are not counted.
*/}}
{{- define "xor-sweep.trialsOfLayers" -}}
{{- $count := 1 }}
{{- range rest .axes }}
{{- if or (gt (int $.layers) 0) (not .hiddenOnly) }}
{{- $count = mul $count (len .values) }}
{{- end }}
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
{{- $rest := int .trial }}
{{- $layers := 0 }}
{{- range (first .axes).values }}
{{- $layers = int . }}
{{- $count := include "xor-sweep.trialsOfLayers" (dict "axes" $.axes "layers" .) | int }}
{{- if lt $rest $count }}{{ break }}{{ end }}
{{- $rest = sub $rest $count | int }}
{{- end }}
{{- $name := "" }}
{{- range rest .axes | reverse }}
{{- if or $layers (not .hiddenOnly) }}
{{- $value := index .values (mod $rest (len .values) | int) }}
{{- $rest = div $rest (len .values) }}
{{- if or (not .optional) (gt (len .values) 1) }}
{{- $name = printf "-%s%v%s" .short $value $name }}
{{- end }}
{{- end }}
{{- end }}
{{- printf "%s%d%s" (first .axes).short $layers $name }}
{{- end }}
