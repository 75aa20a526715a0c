{{/*
Volume claims that already exist: which of them this release created, and what can be changed about them.
*/}}

{{/* Whether this release created a claim: (dict "root" the chart's scope "claim" the claim); empty if not. */}}
{{- define "xor-sweep.madeClaim" -}}
{{- $metadata := .claim.metadata }}
{{- $labels := $metadata.labels | default dict }}
{{- $chart := printf "^%s-[0-9]+[.][0-9]+[.][0-9]+([-_].*)?$" (regexQuoteMeta .root.Chart.Name) }}
{{- $own := eq $metadata.name (include "xor-sweep.fullname" .root) }}
{{- /* A release may have this chart several times, under aliases, each with claims of its own. */ -}}
{{- $ours := and (eq "output" (get $labels "app.kubernetes.io/component")) (regexMatch $chart (get $labels "helm.sh/chart")) }}
{{- if and (eq .root.Release.Name (dig "annotations" "meta.helm.sh/release-name" "" $metadata)) (or $own $ours) }}true{{ end }}
{{- end }}

{{/* A claim's access modes and size: (dict "claim" its values "living" the claim in the cluster, or an empty dict). */}}
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
{{- $grows = false }}{{/* Somebody set it by hand, and Helm 4 would fail on the conflict. */}}
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

{{/* A quantity as a number. */}}
{{- define "xor-sweep.amount" -}}
{{- $units := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- $unit := regexFind "([KMGTPE]i|[numkMGTPE])$" (toString .) }}
{{- mulf (toString . | trimSuffix $unit | float64) (get $units $unit | default 1) }}
{{- end }}
