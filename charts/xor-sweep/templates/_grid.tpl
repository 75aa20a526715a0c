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

{{/* The axes of the grid by name, each a list of its values. */}}
{{- define "xor-sweep.axes" -}}
{{- $axes := dict }}
{{- range $axis := list "layers" "neurons" "activation" "loss" "optimizer" "learning_rate" }}
{{- $value := index $.Values.sweep $axis }}
{{- $_ := set $axes $axis (ternary $value (list $value) (kindIs "slice" $value)) }}
{{- end }}
{{- toJson $axes }}
{{- end }}

{{- define "xor-sweep.trialCount" -}}
{{- $axes := include "xor-sweep.axes" . | fromJson }}
{{- $count := 0 }}
{{- range $axes.layers }}
{{- $count = include "xor-sweep.trialsOfLayers" (dict "axes" $axes "layers" .) | add $count }}
{{- end }}
{{- $count }}
{{- end }}

{{/*
How many trials have this number of hidden layers: (dict "axes" the axes "layers" the number). Without a hidden layer,
neurons and activation change nothing, so they are not counted.
*/}}
{{- define "xor-sweep.trialsOfLayers" -}}
{{- $count := mul (len .axes.loss) (len .axes.optimizer) (len .axes.learning_rate) }}
{{- ternary (mul $count (len .axes.neurons) (len .axes.activation)) $count (gt (int .layers) 0) }}
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
{{- range .axes.layers }}
{{- $layers = int . }}
{{- $count := include "xor-sweep.trialsOfLayers" (dict "axes" $.axes "layers" .) | int }}
{{- if lt $rest $count }}{{ break }}{{ end }}
{{- $rest = sub $rest $count | int }}
{{- end }}
{{- $name := "" }}
{{- $short := dict "neurons" "n" "learning_rate" "lr" }}
{{- range $axis := list "learning_rate" "optimizer" "loss" "activation" "neurons" }}
{{- $values := index $.axes $axis }}
{{- if or $layers (not (has $axis (list "activation" "neurons"))) }}
{{- $value := index $values (mod $rest (len $values) | int) }}
{{- $rest = div $rest (len $values) }}
{{- if or (eq $axis "neurons") (gt (len $values) 1) }}
{{- $name = printf "-%s%v%s" (get $short $axis) $value $name }}
{{- end }}
{{- end }}
{{- end }}
{{- printf "l%d%s" $layers $name }}
{{- end }}
