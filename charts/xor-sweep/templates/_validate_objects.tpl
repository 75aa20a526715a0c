{{/*
Names, quantities and labels that only the API server or the kubelet would refuse, when other objects are there
already: here they are refused before. What these take is refused here only where no pod could ever run with it.
*/}}
{{- define "xor-sweep.validateObjects" -}}
{{- $values := .Values }}
{{- range $path, $name := dict "claim.existing" $values.claim.existing "claim.storageClassName" $values.claim.storageClassName "kueue.queueName" $values.kueue.queueName "priorityClassName" $values.priorityClassName "runtimeClassName" $values.runtimeClassName "serviceAccount.name" $values.serviceAccount.name }}
{{- with $name }}
{{- include "xor-sweep.validateName" (dict "path" $path "name" . "most" (ternary 63 253 (eq $path "kueue.queueName"))) }}
{{- end }}
{{- end }}
{{- range $values.image.pullSecrets }}
{{- include "xor-sweep.validateName" (dict "path" "image.pullSecrets" "name" . "most" 253) }}
{{- end }}
{{- include "xor-sweep.validateImage" . }}
{{- include "xor-sweep.validateQuantity" (dict "path" "claim.size" "value" $values.claim.size) }}
{{- if not (gt (include "xor-sweep.amount" $values.claim.size | float64) 0.0) }}
{{- fail (printf "claim.size: '%v' is too little: give a quantity above 0, such as 1Gi" $values.claim.size) }}
{{- end }}
{{- include "xor-sweep.validateQuantity" (dict "path" "tmpSizeLimit" "value" $values.tmpSizeLimit) }}
{{- range $path, $resources := dict "resources" $values.resources "driver.resources" $values.driver.resources }}
{{- include "xor-sweep.validateResources" (dict "path" $path "resources" $resources) }}
{{- end }}
{{- range $path, $tolerations := dict "tolerations" $values.tolerations "gpu.tolerations" $values.gpu.tolerations }}
{{- include "xor-sweep.validateTolerations" (dict "path" $path "tolerations" $tolerations) }}
{{- end }}
{{- range $path, $labels := dict "podLabels" $values.podLabels "nodeSelector" $values.nodeSelector "gpu.nodeSelector" $values.gpu.nodeSelector }}
{{- range $key, $value := $labels }}
{{- include "xor-sweep.validateKey" (dict "path" $path "what" "label" "key" $key "rest" $key) }}
{{- if not (regexMatch "^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$" $value) }}
{{- fail (printf "%s: '%s' cannot be the value of the label %s: give up to 63 letters, digits, '-', '_' and '.', the first and the last of them a letter or a digit" $path $value $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $key, $_ := $values.podLabels }}
{{- if regexMatch "^(batch.kubernetes.io/)?(job-name|controller-uid)$" $key }}
{{- fail (printf "podLabels: %s is the label by which a Job knows its pods: give yours another name" $key) }}
{{- end }}
{{- end }}
{{- range $path, $annotations := dict "podAnnotations" $values.podAnnotations "claim.annotations" $values.claim.annotations "serviceAccount.annotations" $values.serviceAccount.annotations }}
{{- range $key, $_ := $annotations }}
{{- include "xor-sweep.validateKey" (dict "path" $path "what" "annotation" "key" $key "rest" (lower $key)) }}
{{- end }}
{{- end }}
{{- range $values.extraEnv }}
{{- if not (regexMatch "^[ -<>-~]+$" .name) }}
{{- fail (printf "extraEnv: '%s' cannot be the name of a variable: give printable ASCII characters other than '='" .name) }}
{{- end }}
{{- if and .value .valueFrom }}
{{- fail (printf "extraEnv: %s has value and valueFrom: give one of them" .name) }}
{{- end }}
{{- end }}
{{- range $values.envFrom }}
{{- if eq (hasKey . "configMapRef") (hasKey . "secretRef") }}
{{- fail (printf "envFrom: %s: give each configMapRef or secretRef, and not both" (toJson .)) }}
{{- end }}
{{- end }}
{{- $spreads := list }}
{{- range $values.topologySpreadConstraints }}
{{- $spread := printf "%s and %s" .topologyKey .whenUnsatisfiable }}
{{- if has $spread $spreads }}
{{- fail (printf "topologySpreadConstraints: two of them have %s: give one" $spread) }}
{{- end }}
{{- $spreads = append $spreads $spread }}
{{- end }}
{{- include "xor-sweep.validateLabelKeys" . }}
{{- include "xor-sweep.validateSecurity" $values }}
{{- include "xor-sweep.validateVolumes" . }}
{{- end }}

{{/* The name of an object, a DNS subdomain: (dict "path" the value "name" what it is "most" how long it may be). */}}
{{- define "xor-sweep.validateName" -}}
{{- if or (gt (len .name) .most) (not (regexMatch "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$" .name)) }}
{{- fail (printf "%s: '%s' cannot be the name of an object: give up to %d of a-z, 0-9, '-' and '.', the first and the last of them a letter or a digit" .path .name .most) }}
{{- end }}
{{- end }}

{{/* The key of a label or an annotation: (dict "path" the value "what" which of both "key" the key "rest" what of it is checked). */}}
{{- define "xor-sweep.validateKey" -}}
{{- if not (regexMatch "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" .rest) }}
{{- fail (printf "%s: '%s' cannot be the name of a%s: give one such as team or example.com/team" .path .key (ternary " label" "n annotation" (eq .what "label"))) }}
{{- end }}
{{- end }}

{{/* An image's name, tag and digest: https://pkg.go.dev/github.com/distribution/reference has the grammar. */}}
{{- define "xor-sweep.validateImage" -}}
{{- $image := .Values.image }}
{{- $host := "([A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?([.][A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?)*|\\[[a-fA-F0-9:]+\\])(:[0-9]+)?" }}
{{- $part := "[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*" }}
{{- if not (regexMatch (printf "^(%s/)?%s(/%s)*$" $host $part $part) $image.repository) }}
{{- fail (printf "image.repository: '%s' cannot be the name of an image: give it in lower case and without its tag, such as ghcr.io/team/xor-sweep" $image.repository) }}
{{- end }}
{{- $tag := include "xor-sweep.imageTag" . }}
{{- if not (or $image.digest (regexMatch "^[A-Za-z0-9_][-A-Za-z0-9_.]{0,127}$" $tag)) }}
{{- fail (printf "image.tag: '%s' cannot be the tag of an image: give up to 128 letters, digits, '-', '_' and '.', such as 0.1.0" $tag) }}
{{- end }}
{{- if not (regexMatch "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})?$" $image.digest) }}
{{- fail (printf "image.digest: '%s' cannot be the digest of an image: give sha256: and 64 hexadecimal digits in lower case" $image.digest) }}
{{- end }}
{{- end }}

{{/* A quantity: (dict "path" the value "value" what it is). */}}
{{- define "xor-sweep.validateQuantity" -}}
{{- if not (regexMatch "^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][-+]?[0-9]+)?$" (toString .value)) }}
{{- fail (printf "%s: '%v' is no quantity: give a number that is not below 0, with a unit or without, such as 500m or 2Gi" .path .value) }}
{{- end }}
{{- end }}

{{/* How much a quantity is, as a number. */}}
{{- define "xor-sweep.amount" -}}
{{- $units := dict "n" 1e-9 "u" 1e-6 "m" 1e-3 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624 "Ei" 1152921504606846976 }}
{{- $unit := regexFind "([KMGTPE]i|[numkMGTPE])$" (toString .) }}
{{- mulf (toString . | trimSuffix $unit | float64) (get $units $unit | default 1) }}
{{- end }}

{{/* Whether a resource is one of a device or the like, such as nvidia.com/gpu; empty where not. */}}
{{- define "xor-sweep.isExtended" -}}
{{- $domain := "[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*" }}
{{- $whole := regexMatch (printf "^%s/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$" $domain) . }}
{{- /* Quotas call it requests.DOMAIN/NAME, and that has at most 253 characters before the slash. */ -}}
{{- if and $whole (not (hasPrefix "requests." .)) (le (len (regexFind "^[^/]*" .)) 244) }}true{{ end }}
{{- end }}

{{/* What a container asks for and may use: (dict "path" the value "resources" what it is). */}}
{{- define "xor-sweep.validateResources" -}}
{{- $path := .path }}
{{- $resources := include "xor-sweep.withoutNulls" .resources | fromYaml }}
{{- $limits := $resources.limits | default dict }}
{{- $requests := $resources.requests | default dict }}
{{- range $kind, $asked := $resources }}
{{- range $resource, $quantity := $asked }}
{{- $where := printf "%s.%s" $path $kind }}
{{- if not (or (regexMatch "^(cpu|memory|ephemeral-storage|hugepages-[1-9][0-9]*[KMG]i)$" $resource) (include "xor-sweep.isExtended" $resource)) }}
{{- fail (printf "%s: a container cannot ask for '%s': give cpu, memory, ephemeral-storage, or a resource with its domain, such as nvidia.com/gpu" $where $resource) }}
{{- end }}
{{- include "xor-sweep.validateQuantity" (dict "path" (printf "%s.%s" $where $resource) "value" $quantity) }}
{{- include "xor-sweep.validatePieces" (dict "path" $where "resource" $resource "quantity" $quantity) }}
{{- end }}
{{- end }}
{{- range $resource, $request := $requests }}
{{- $where := printf "%s.requests.%s" $path $resource }}
{{- $asked := include "xor-sweep.amount" $request | float64 }}
{{- $most := include "xor-sweep.amount" (get $limits $resource | default 0) | float64 }}
{{- if and (or (hasPrefix "hugepages-" $resource) (contains "/" $resource)) (or (not (hasKey $limits $resource)) (ne $asked $most)) }}
{{- fail (printf "%s: of such a resource the limit must be given, too, and be the same" $where) }}
{{- end }}
{{- /* A little more than the limit may be the rounding of these numbers. */ -}}
{{- if and (hasKey $limits $resource) (gt $asked (mulf $most 1.000000001)) }}
{{- fail (printf "%s: '%v' is more than the limit of '%v': give a limit of that or more, or ask for less" $where $request (get $limits $resource)) }}
{{- end }}
{{- end }}
{{- $names := concat (keys $limits) (keys $requests) }}
{{- if and (contains " hugepages-" (printf " %s" (join " " $names))) (not (or (has "cpu" $names) (has "memory" $names))) }}
{{- fail (printf "%s: huge pages go with cpu or memory only: give one of them, too" $path) }}
{{- end }}
{{- end }}

{{/* What there is in whole pieces only: (dict "path" the value "resource" its key there "quantity" how much). */}}
{{- define "xor-sweep.validatePieces" -}}
{{- $amount := include "xor-sweep.amount" .quantity | float64 }}
{{- if hasPrefix "hugepages-" .resource }}
{{- $pages := divf $amount (include "xor-sweep.amount" (trimPrefix "hugepages-" .resource) | float64) }}
{{- if ne $pages (floor $pages) }}
{{- fail (printf "%s.%s: '%v' is no whole number of such pages" .path .resource .quantity) }}
{{- end }}
{{- else if and (contains "/" .resource) (or (gt $amount 9e15) (ne (round $amount 6) (floor (round $amount 6)))) }}
{{- fail (printf "%s.%s: '%v' is not possible: give a whole number, up to 9000000000000000" .path .resource .quantity) }}
{{- end }}
{{- end }}

{{/* Keys of labels whose value a pod takes from itself: beside a rule about the same label they have no place. */}}
{{- define "xor-sweep.validateLabelKeys" -}}
{{- $ours := include "xor-sweep.selectorLabels" . | fromYaml }}
{{- $labels := merge (dict "app.kubernetes.io/component" "") $ours .Values.podLabels }}
{{- $terms := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $terms = append $terms (dict "path" "topologySpreadConstraints" "term" .) }}
{{- end }}
{{- range $kind := list "podAffinity" "podAntiAffinity" }}
{{- $affinity := get $.Values.affinity $kind | default dict }}
{{- range $affinity.requiredDuringSchedulingIgnoredDuringExecution }}
{{- $terms = append $terms (dict "path" (printf "affinity.%s" $kind) "term" .) }}
{{- end }}
{{- range $affinity.preferredDuringSchedulingIgnoredDuringExecution }}
{{- $terms = append $terms (dict "path" (printf "affinity.%s" $kind) "term" .podAffinityTerm) }}
{{- end }}
{{- end }}
{{- range $place := $terms }}
{{- $term := .term }}
{{- $selector := hasKey $term "labelSelector" | ternary $term.labelSelector (dict "matchLabels" $ours) }}
{{- $taken := keys ($selector.matchLabels | default dict) }}
{{- range $selector.matchExpressions }}
{{- $taken = append $taken .key }}
{{- end }}
{{- range $key := $term.matchLabelKeys }}
{{- if and (has $key $taken) (hasKey $labels $key) }}
{{- fail (printf "%s: %s is in matchLabelKeys and in the labelSelector: give it in one of them" $place.path $key) }}
{{- end }}
{{- if has $key ($term.mismatchLabelKeys | default list) }}
{{- fail (printf "%s: %s is in matchLabelKeys and in mismatchLabelKeys: give it in one of them" $place.path $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Taints that do not keep pods away: (dict "path" the value "tolerations" what they are). */}}
{{- define "xor-sweep.validateTolerations" -}}
{{- $path := .path }}
{{- range .tolerations }}
{{- if and (eq (.operator | default "Equal") "Exists") .value }}
{{- fail (printf "%s: operator Exists takes no value, and has '%s': leave the value out, or give operator Equal" $path .value) }}
{{- end }}
{{- if and (not .key) (ne (.operator | default "Equal") "Exists") }}
{{- fail (printf "%s: one has no key: give it one, or operator Exists, which then stands for every taint" $path) }}
{{- end }}
{{- if and (hasKey . "tolerationSeconds") (ne (.effect | default "") "NoExecute") }}
{{- fail (printf "%s: tolerationSeconds goes with effect NoExecute only" $path) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Settings of the pod's and the container's security context that exclude each other. */}}
{{- define "xor-sweep.validateSecurity" -}}
{{- if and .securityContext.privileged (eq (toString .securityContext.allowPrivilegeEscalation) "false") }}
{{- fail "securityContext: a container that is privileged may escalate its privileges: set allowPrivilegeEscalation to true, or privileged to false" }}
{{- end }}
{{- $adds := dig "capabilities" "add" list .securityContext | default list }}
{{- if and (has "CAP_SYS_ADMIN" $adds) (eq (toString .securityContext.allowPrivilegeEscalation) "false") }}
{{- fail "securityContext: a container with CAP_SYS_ADMIN may escalate its privileges: set allowPrivilegeEscalation to true" }}
{{- end }}
{{- $sysctls := list }}
{{- range .podSecurityContext.sysctls }}
{{- if has .name $sysctls }}
{{- fail (printf "podSecurityContext.sysctls: %s is there twice: give it once" .name) }}
{{- end }}
{{- $sysctls = append $sysctls .name }}
{{- end }}
{{- $all := dict }}
{{- range $context := list .podSecurityContext .securityContext }}
{{- range $key, $value := $context }}
{{- if not (kindIs "invalid" $value) }}
{{- $_ := set $all $key $value }}
{{- end }}
{{- end }}
{{- end }}
{{- if and $all.runAsNonRoot (eq (toString $all.runAsUser) "0") }}
{{- fail "podSecurityContext, securityContext: runAsUser is 0, which is root, and runAsNonRoot is true: no container would start; give another user, or set runAsNonRoot to false" }}
{{- end }}
{{- end }}

{{/* The volumes and the mounts beside the chart's own. */}}
{{- define "xor-sweep.validateVolumes" -}}
{{- $volumes := list "sweep" "tmp" }}
{{- $places := list "/etc/xor-sweep" "/tmp" }}
{{- if include "xor-sweep.claim" . }}
{{- $volumes = append $volumes "output" }}
{{- $places = append $places "/output" }}
{{- end }}
{{- range .Values.extraVolumes }}
{{- if has .name $volumes }}
{{- fail (printf "extraVolumes: there is a volume '%s' already: give it another name than %s" .name (join ", " $volumes)) }}
{{- end }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" .name) }}
{{- fail (printf "extraVolumes: '%s' cannot be the name of a volume: give up to 63 of a-z, 0-9 and '-', the first and the last of them a letter or a digit" .name) }}
{{- end }}
{{- $sources := without (keys . | sortAlpha) "name" }}
{{- if gt (len $sources) 1 }}
{{- fail (printf "extraVolumes: %s is of several kinds (%s): give it one of them" .name (join ", " $sources)) }}
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- range .Values.extraVolumeMounts }}
{{- if not (has .name $volumes) }}
{{- fail (printf "extraVolumeMounts: there is no volume '%s': name one in extraVolumes, or one of %s" .name (join ", " $volumes)) }}
{{- end }}
{{- if has .mountPath $places }}
{{- fail (printf "extraVolumeMounts: something is mounted at %s already: give %s another mountPath" .mountPath .name) }}
{{- end }}
{{- $places = append $places .mountPath }}
{{- end }}
{{- end }}
