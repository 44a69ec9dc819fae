{{/* Names, labels, and what all Pods of the release have in common. */}}

{{- define "enso.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "enso.fullname" -}}
{{- $name := include "enso.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 50 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What belongs to no namespace is named after the release's: two of one name may stand side by side. */}}
{{- define "enso.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "enso.fullname" .) }}
{{- end }}

{{- define "enso.selector" -}}
app.kubernetes.io/name: {{ include "enso.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "enso.labels" -}}
{{ include "enso.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: enso-executer
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "enso.image" -}}
{{- with .Values.image }}
{{- if .digest }}
{{- printf "%s@%s" .repository .digest }}
{{- else }}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "enso.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "enso.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "enso.gatewayServiceAccount" -}}
{{- if .Values.gateway.serviceAccount.create }}
{{- default (printf "%s-gateway" (include "enso.fullname" .)) .Values.gateway.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.gateway.serviceAccount.name }}
{{- end }}
{{- end }}

{{/*
  Where the HTTP API, the test and the first job of the notes have their EnsoJobs. Whoever may create
  Pods in the operator's own namespace can act as the operator, so that is refused.
*/}}
{{- define "enso.jobsNamespace" -}}
{{- $own := .Release.Namespace }}
{{- $watched := .Values.watchNamespaces }}
{{- $others := without $watched $own }}
{{- $name := .Values.jobsNamespace | default (first (append $others "default")) }}
{{- if eq $name $own }}
{{- fail (printf "EnsoJobs do not belong into %s, the operator's own namespace: whoever may create them there can act as the operator. Install the release into a namespace of its own (--namespace enso-executer --create-namespace), or name another one as jobsNamespace" $own) }}
{{- else if and $watched (not (has $name $watched)) }}
{{- fail (printf "The operator would not look after namespace %s, where the HTTP API and the test have their EnsoJobs: watchNamespaces must name one that is not the release's own (%s), or jobsNamespace one of watchNamespaces" $name $own) }}
{{- end }}
{{- $name }}
{{- end }}

{{- define "enso.leaseName" -}}
{{- default (include "enso.fullname" .) .Values.leaderElection.leaseName }}
{{- end }}

{{/* What the operator asks of the namespaces that it looks after: these verbs, and no others. */}}
{{- define "enso.rules" -}}
- apiGroups: [enso.dev]
  resources: [ensojobs]
  verbs: [get, list, watch, delete]
- apiGroups: [enso.dev]
  resources: [ensojobs/status]
  verbs: [patch]
# Some clusters want it of whoever makes Pods that a deletion of their EnsoJob is to wait for.
- apiGroups: [enso.dev]
  resources: [ensojobs/finalizers]
  verbs: [update]
- apiGroups: [enso.dev]
  resources: [ensojobtemplates, ensoscripts]
  verbs: [get, list]
# None is deleted: some clusters want that right of whoever makes one a dependant of its EnsoJob.
- apiGroups: [enso.dev]
  resources: [ensoactions]
  verbs: [get, list, watch, patch, delete]
- apiGroups: [enso.dev]
  resources: [ensoactions/status]
  verbs: [patch]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, create]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods/log]
  verbs: [get]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create]
# The kubelet tells only in Events of a Pod that a volume of it does not come.
- apiGroups: [""]
  resources: [events]
  verbs: [create, list]
{{- end }}

{{/* The environment of every container: HOME, and the API server where the Service is not the way. */}}
{{- define "enso.env" -}}
- name: HOME
  value: /tmp
{{- with .Values.apiServer }}
{{- if .host }}
- name: KUBERNETES_SERVICE_HOST
  value: {{ .host | quote }}
- name: KUBERNETES_SERVICE_PORT
  value: {{ .port | int64 | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Where the Pods of the release run, and how. It ends with their volumes: more may follow. */}}
{{- define "enso.pod" -}}
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
volumes:
  - name: tmp
    emptyDir:
      sizeLimit: 64Mi
{{- end }}

{{/* The image, and what its containers may do. It ends with their mounts: more may follow. */}}
{{- define "enso.container" -}}
image: {{ include "enso.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
{{- end }}
