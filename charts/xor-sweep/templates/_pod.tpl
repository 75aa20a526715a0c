{{/*
The spec of a pod that runs one of the program's commands.
  root       the chart's scope
  args       the command line
  component  the container's name; by default trial
  run        the run's name; by default the Job's
  gpu        whether it gets the GPU's resource, node selector and tolerations
  deadline   its activeDeadlineSeconds; by default none
  resources  by default those of a trial
  token      whether it uses the Kubernetes API; by default it has no token
  config     the ConfigMap with the sweep file; by default the sweep's
  env        additional environment variables
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
  {{- toYaml . | nindent 2 }}
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
    imagePullPolicy: {{ $values.image.pullPolicy | quote }}
    terminationMessagePolicy: FallbackToLogsOnError # so that `status` shows the program's own reason for a failure
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
      {{- $resources := deepCopy (ternary .resources $values.resources (hasKey . "resources")) }}
      {{- if .gpu }}
      {{- $gpus := dict $values.gpu.resourceName (int64 $values.gpu.count) }}
      {{- $resources = mustMergeOverwrite $resources (dict "requests" $gpus "limits" $gpus) }}
      {{- end }}
      {{- toYaml $resources | nindent 6 }}
    {{- with $values.securityContext }}
    securityContext:
      {{- toYaml . | nindent 6 }}
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
