{{/*
Volume claims that are in the cluster already: which of them are the chart's, and what of them can be changed.
*/}}

{{/* Whether this release's chart made a claim: (dict "root" the chart's scope "claim" it); empty where not. */}}
{{- define "xor-sweep.madeClaim" -}}
{{- $metadata := .claim.metadata }}
{{- $labels := $metadata.labels | default dict }}
{{- $chart := printf "^%s-[0-9]+[.][0-9]+[.][0-9]+([-_].*)?$" (regexQuoteMeta .root.Chart.Name) }}
{{- $own := eq $metadata.name (include "xor-sweep.fullname" .root) }}
{{- /* Of a release with several such charts, under aliases, each has its own claims. */ -}}
{{- $ours := and (eq "output" (get $labels "app.kubernetes.io/component")) (regexMatch $chart (get $labels "helm.sh/chart")) }}
{{- if and (eq .root.Release.Name (dig "annotations" "meta.helm.sh/release-name" "" $metadata)) (or $own $ours) }}true{{ end }}
{{- end }}

{{/* A claim's access modes and size: (dict "claim" its values "living" it as it is in the cluster, or an empty one). */}}
{{- define "xor-sweep.claimSpec" -}}
{{- $claim := .claim }}
{{- $spec := dict "accessModes" $claim.accessModes }}
{{- $size := $claim.size }}
{{- with .living.spec }}
{{- $spec = pick . "accessModes" }}
{{- $size = .resources.requests.storage }}
{{- $grows := gt (include "xor-sweep.amount" $claim.size | float64) (include "xor-sweep.amount" $size | float64) }}
{{- range $.living.metadata.managedFields }}
{{- if and (not (hasPrefix "helm" .manager)) (hasKey (dig "fieldsV1" "f:spec" "f:resources" "f:requests" dict .) "f:storage") }}
{{- $grows = false }}{{/* Somebody has set it by hand: Helm 4 would fail on the conflict. */}}
{{- end }}
{{- end }}
{{- if and $grows (eq "Bound" $.living.status.phase) .storageClassName }}
{{- if (lookup "storage.k8s.io/v1" "StorageClass" "" .storageClassName).allowVolumeExpansion }}
{{- $size = $claim.size }}
{{- end }}
{{- end }}
{{- end }}
{{- set $spec "resources" (dict "requests" (dict "storage" $size)) | toYaml }}
{{- end }}
