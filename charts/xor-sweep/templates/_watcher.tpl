{{/*
The spec of a Job that watches a sweep: the driver's and the retraining's. Its pod keeps nothing that it could not
find again, so it can be stopped at any time.
  root       the chart's scope
  component  the name of the pod's role and of its container
  args, run, config, env   as for xor-sweep.podSpec
*/}}
{{- define "xor-sweep.watcherSpec" -}}
{{- $values := .root.Values -}}
backoffLimit: 6
podReplacementPolicy: Failed
{{- include "xor-sweep.ttl" .root }}
podFailurePolicy:
  rules:
    - action: FailJob # no winner to challenge the champion, or storage refuses permanently
      onExitCodes:
        containerName: {{ .component }}
        operator: In
        values: [3, 5]
    - action: Ignore # the pod was disrupted, and is replaced
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
