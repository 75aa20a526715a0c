{{/*
The Job's spec and its pods': the sweep and the retraining include the one; all that runs the image, the other.
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
{{- with .Values.activeDeadlineSeconds }}
activeDeadlineSeconds: {{ int64 . }}
{{- end }}
{{- if not (kindIs "invalid" .Values.ttlSecondsAfterFinished) }}
ttlSecondsAfterFinished: {{ int64 .Values.ttlSecondsAfterFinished }}
{{- end }}
# What each exit code means stands in job/errors.py. All others (no GPU here, out of memory, a crash) are counted
# and tried again.
podFailurePolicy:
  rules:
    - action: FailJob # the configuration is wrong, or storage refused for good: so it is for all trials
      onExitCodes:
        containerName: trial
        operator: In
        values: [2, 5]
    - action: FailIndex # this trial can never succeed
      onExitCodes:
        containerName: trial
        operator: In
        values: [3]
    - action: Ignore # the pod was in somebody's way, and is replaced
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

{{/* The Job that a retraining starts, but for its name. */}}
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

{{/*
A pod that runs one of the program's commands.
  root       the chart's scope
  args       the command line
  component  the container's name; left out, trial
  run        the run's name; left out, the Job's
  gpu        whether it has the GPU's resource, node selector and tolerations
  deadline   its activeDeadlineSeconds; left out, none
  resources  left out, those of a trial
  token      whether it asks the cluster's API; left out, it has no token
  config     the ConfigMap with the sweep file; left out, the sweep's
  env        further environment variables
*/}}
{{- define "xor-sweep.podSpec" -}}
{{- $values := .root.Values }}
{{- $claim := include "xor-sweep.claim" .root -}}
restartPolicy: Never
automountServiceAccountToken: {{ .token | default false }}
enableServiceLinks: false
serviceAccountName: {{ include "xor-sweep.serviceAccountName" .root | quote }}
terminationGracePeriodSeconds: {{ int64 $values.terminationGracePeriodSeconds }}
{{- with .deadline }}
activeDeadlineSeconds: {{ int64 . }}
{{- end }}
{{- with $values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with $values.podSecurityContext }}
securityContext:
  {{- include "xor-sweep.withoutNulls" . | nindent 2 }}
{{- end }}
{{- with merge (dict) $values.nodeSelector (ternary $values.gpu.nodeSelector dict (.gpu | default false)) }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat $values.tolerations (ternary $values.gpu.tolerations list (.gpu | default false)) }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := dict "matchLabels" (include "xor-sweep.selectorLabels" $.root | fromYaml) }}
  {{- range . }}
  - {{- merge (dict) . (hasKey . "labelSelector" | ternary dict (dict "labelSelector" $selector)) | toYaml | nindent 4 }}
  {{- end }}
{{- end }}
containers:
  - name: {{ .component | default "trial" }}
    image: {{ include "xor-sweep.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    terminationMessagePolicy: FallbackToLogsOnError # so `status` says why it failed in the program's own words
    args:
      {{- toYaml .args | nindent 6 }}
    env:
      - name: XOR_SWEEP_CONFIG
        value: /etc/xor-sweep/sweep.yaml
      - name: XOR_SWEEP_IMAGE
        value: {{ include "xor-sweep.image" .root | quote }}
      - name: XOR_SWEEP_POD_UID
        valueFrom:
          fieldRef:
            fieldPath: metadata.uid
      - name: XOR_SWEEP_FAILURE_COUNT
        valueFrom:
          fieldRef:
            fieldPath: metadata.annotations['batch.kubernetes.io/job-index-failure-count']
      - name: XOR_SWEEP_RUN
        {{- if .run }}
        value: {{ .run | quote }}
        {{- else }}
        valueFrom:
          fieldRef:
            fieldPath: metadata.labels['batch.kubernetes.io/job-name']
        {{- end }}
      {{- with .env }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      {{- with $values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    {{- with $values.envFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    resources:
      {{- $resources := include "xor-sweep.withoutNulls" (.resources | default $values.resources) | fromYaml }}
      {{- if .gpu }}
      {{- $gpus := dict $values.gpu.resourceName (int64 $values.gpu.count) }}
      {{- $resources = mustMergeOverwrite $resources (dict "requests" $gpus "limits" $gpus) }}
      {{- end }}
      {{- toYaml $resources | nindent 6 }}
    {{- with $values.securityContext }}
    securityContext:
      {{- include "xor-sweep.withoutNulls" . | nindent 6 }}
    {{- end }}
    volumeMounts:
      - name: sweep
        mountPath: /etc/xor-sweep
        readOnly: true
      - name: tmp
        mountPath: /tmp
      {{- if $claim }}
      - name: output
        mountPath: /output
      {{- end }}
      {{- with $values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: sweep
    configMap:
      name: {{ .config | default (include "xor-sweep.run" .root) | quote }}
  - name: tmp
    emptyDir:
      sizeLimit: {{ include "xor-sweep.quantity" $values.tmpSizeLimit }}
  {{- if $claim }}
  - name: output
    persistentVolumeClaim:
      claimName: {{ $claim | quote }}
  {{- end }}
  {{- with $values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
