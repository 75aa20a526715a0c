{{/*
The spec of the Job that trains the trials, which the sweep and the retraining share.
*/}}

{{- define "xor-sweep.jobSpec" -}}
completionMode: Indexed
completions: {{ include "xor-sweep.podCount" . }}
parallelism: {{ int64 .Values.parallelism }}
{{- if .Values.kueue.queueName }}
suspend: true
{{- end }}
backoffLimitPerIndex: {{ int64 .Values.backoffLimitPerIndex }}
{{- if not (kindIs "invalid" .Values.maxFailedIndexes) }}
maxFailedIndexes: {{ min (int64 .Values.maxFailedIndexes) (include "xor-sweep.podCount" . | int64) }}
{{- end }}
podReplacementPolicy: Failed
{{- if ne (toString .Values.activeDeadlineSeconds) "never" }}
activeDeadlineSeconds: {{ int64 .Values.activeDeadlineSeconds }}
{{- end }}
{{- include "xor-sweep.ttl" . }}
# job/errors.py says what each exit code means. All others (no GPU here, out of memory, a crash) count as failures
# and are retried.
podFailurePolicy:
  rules:
    - action: FailJob # the configuration is wrong, or storage refuses permanently: no trial can succeed
      onExitCodes:
        containerName: trial
        operator: In
        values: [2, 5]
    - action: FailIndex # this trial can never succeed
      onExitCodes:
        containerName: trial
        operator: In
        values: [3]
    - action: Ignore # the pod was disrupted, and is replaced
      onPodConditions:
        - type: DisruptionTarget
template:
  metadata:
    labels:
      {{- mustMergeOverwrite (deepCopy .Values.podLabels) (include "xor-sweep.selectorLabels" . | fromYaml) (dict "app.kubernetes.io/component" "trial") | toYaml | nindent 6 }}
    {{- with .Values.podAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    {{- include "xor-sweep.podSpec" (dict "root" . "args" (list "trial") "gpu" .Values.gpu.enabled "deadline" .Values.podActiveDeadlineSeconds) | nindent 4 }}
{{- end }}

{{/* The Job that a retraining names and starts. */}}
{{- define "xor-sweep.retrainJob" -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "xor-sweep.fullname" . | quote }}
  labels:
    {{- include "xor-sweep.selectorLabels" . | nindent 4 }}
    app.kubernetes.io/component: retraining
    {{- with .Values.kueue.queueName }}
    kueue.x-k8s.io/queue-name: {{ . | quote }}
    {{- end }}
spec:
  {{- include "xor-sweep.jobSpec" . | nindent 2 }}
{{- end }}
