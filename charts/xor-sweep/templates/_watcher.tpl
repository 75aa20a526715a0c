{{/*
The spec of a Job that watches a sweep: the driver's, and the retraining's. It holds nothing that it would not find
again, so its pod may die at any time.
  root       the chart's scope
  component  what the pod is, and its container
  args, run, config, env   as for xor-sweep.podSpec
*/}}
{{- define "xor-sweep.watcherSpec" -}}
{{- $values := .root.Values -}}
backoffLimit: 6
podReplacementPolicy: Failed
{{- if not (kindIs "invalid" $values.ttlSecondsAfterFinished) }}
ttlSecondsAfterFinished: {{ int64 $values.ttlSecondsAfterFinished }}
{{- end }}
podFailurePolicy:
  rules:
    - action: FailJob # no winner to challenge the champion, or storage refused for good
      onExitCodes:
        containerName: {{ .component }}
        operator: In
        values: [3, 5]
    - action: Ignore # the pod was in somebody's way, and is replaced
      onPodConditions:
        - type: DisruptionTarget
template:
  metadata:
    labels:
      {{- mustMergeOverwrite (deepCopy $values.podLabels) (include "xor-sweep.selectorLabels" .root | fromYaml) (dict "app.kubernetes.io/component" .component) | toYaml | nindent 6 }}
    {{- with $values.podAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    {{- include "xor-sweep.podSpec" (merge (dict "token" true "resources" $values.driver.resources) .) | nindent 4 }}
{{- end }}
