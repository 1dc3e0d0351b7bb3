"""Values to render the chart with: every feature on and off."""

from collections.abc import Mapping
from typing import Any

# Of Kubernetes.
OLDEST_AND_NEWEST = ("1.27", "1.37")

KEY = "test:a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"
SECRETS = {"values": {"databaseUrl": "postgresql://hub:open-sesame@db.example/hub", "signingKeys": KEY}}
EXISTING = {"existingSecret": "made-by-hand"}

Values = Mapping[str, Any]


def merged(base: Values, *others: Values) -> dict[str, Any]:
    result = dict(base)
    for other in others:
        for name, value in other.items():
            there = result.get(name)
            both = isinstance(there, Mapping) and isinstance(value, Mapping)
            result[name] = merged(there, value) if both else value  # type: ignore[arg-type]
    return result


def hub(*values: Values) -> dict[str, Any]:
    """The least that a hub needs, and these."""
    return merged({"secrets": SECRETS}, *values)


_PLACED = {
    "podAnnotations": {"example.org/owner": "office"},
    "podLabels": {"example.org/tier": "gold"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "texts", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [{"key": "zone", "operator": "Exists"}]},
                ]
            }
        }
    },
    "priorityClassName": "high",
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.{{ .Release.Namespace }}:3128"}],
    "extraEnvFrom": [{"configMapRef": {"name": "elsewhere", "optional": True}}],
    "extraVolumes": [{"name": "extra", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
}
_PEERS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]

AUTOSCALED_API = {"api": {"autoscaling": {"enabled": True}}}
BY_EXTERNAL_METRIC = {"dispatcher": {"autoscaling": {"enabled": True, "hpa": {"matchLabels": {"namespace": "texts"}}}}}
BY_KEDA = {
    "dispatcher": {
        "autoscaling": {
            "enabled": True,
            "engine": "keda",
            "keda": {
                "serverAddress": "http://prometheus.monitoring:9090",
                "authenticationRef": {"name": "prometheus"},
                "fallback": 3,
                "extraTriggers": [
                    {
                        "type": "cron",
                        "metadata": {
                            "timezone": "UTC",
                            "start": "0 8 * * *",
                            "end": "0 9 * * *",
                            "desiredReplicas": "4",
                        },
                    },
                ],
            },
        }
    }
}
PLAIN_MIGRATION = {"migration": {"hook": False, "ttlSecondsAfterFinished": 600, "annotations": {"a.example/b": "c"}}}
DEMO = {"demo": {"enabled": True}}
CLOSED = {
    "networkPolicy": {
        "enabled": True,
        "clients": _PEERS,
        "monitoring": _PEERS,
        "database": [{"ipBlock": {"cidr": "10.1.2.3/32"}}],
        "dns": [{"namespaceSelector": {}}],
        "api": {"ingress": [{"from": _PEERS}], "egress": [{"to": _PEERS}]},
        "dispatcher": {"ingress": [{"from": _PEERS}], "egress": [{"to": _PEERS}]},
        "migration": {"egress": [{"to": _PEERS}]},
    }
}
INGRESS = {
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt"},
        "hosts": [
            {"host": "sms.{{ .Release.Namespace }}.example"},
            {"host": "www.example", "paths": [{"path": "/sms", "pathType": "Exact"}]},
        ],
        "tls": [{"hosts": ["sms.texts.example"], "secretName": "sms-tls"}],
    }
}
HTTP_ROUTE = {
    "httpRoute": {
        "enabled": True,
        "annotations": {"a.example/b": "c"},
        "labels": {"gateway": "public"},
        "parentRefs": [{"name": "public", "namespace": "gateways", "sectionName": "https"}],
        "hostnames": ["sms.{{ .Release.Namespace }}.example"],
        "filters": [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["server"]}}],
        "timeouts": {"request": "70s"},
    }
}
MONITORING = {
    "serviceMonitor": {
        "enabled": True,
        "namespace": "monitoring",
        "labels": {"release": "prometheus"},
        "annotations": {"a.example/b": "c"},
        "relabelings": [{"targetLabel": "cluster", "replacement": "one"}],
        "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "python_.*", "action": "drop"}],
    },
    "prometheusRule": {"enabled": True, "namespace": "monitoring", "labels": {"release": "prometheus"}},
    "dashboards": {"enabled": True, "annotations": {"grafana_folder": "SMS"}},
}
TEST = {"test": {"existingSecret": "sandbox-program", "keys": {"programSid": "sid", "programKey": "key"}}}
DATABASE_TLS = {"database": {"tls": {"caSecret": "database-ca"}}}
EVERYWHERE: Values = dict.fromkeys(("api", "dispatcher", "migration", "test", "demo"), _PLACED)

CASES: Mapping[str, Values] = {
    "as it comes": hub(),
    "existing Secret": {"secrets": EXISTING},
    "existing Secret with other keys": {
        "secrets": {**EXISTING, "keys": {"databaseUrl": "uri", "signingKeys": "s", "encryptionKeys": "e"}},
    },
    "all secrets": hub(
        {
            "secrets": {
                "values": {
                    "encryptionKeys": KEY,
                    "keyPeppers": KEY,
                    "mailUrl": "smtps://u:open-sesame@mail.example",
                    "oidcClientSecret": "open-sesame",
                }
            }
        }
    ),
    "settings": hub(
        {
            "config": {
                "SMSHUB_PUBLIC_URL": "https://sms.example/hub/",
                "SMSHUB_DATABASE_POOLER": True,
                "SMSHUB_LOGINS_PER_MINUTE": 100_000,
                "SMSHUB_STOP_GRACE": "PT1M30S",
            }
        }
    ),
    "no settings": hub({"config": {"SMSHUB_STOP_GRACE": None}}),
    "no budgets, accounts or spread": hub(
        {"serviceAccount": {"create": False}},
        {part: {"pdb": {"enabled": False}, "topologySpreadConstraints": []} for part in ("api", "dispatcher")},
    ),
    "one of each": hub({"api": {"replicas": 1}, "dispatcher": {"replicas": 1}}),
    "budgets by what stays": hub({part: {"pdb": {"minAvailable": "50%"}} for part in ("api", "dispatcher")}),
    "api by CPU": hub(AUTOSCALED_API),
    "dispatchers by an external metric": hub(BY_EXTERNAL_METRIC),
    "dispatchers by lateness alone": hub(
        BY_EXTERNAL_METRIC, {"dispatcher": {"autoscaling": {"targetCPUUtilizationPercentage": None}}}
    ),
    "dispatchers by KEDA": hub(BY_KEDA),
    "plain migration": hub(PLAIN_MIGRATION, CLOSED),
    "plain migration, existing Secret": merged({"secrets": EXISTING}, PLAIN_MIGRATION),
    "no migration": hub({"migration": {"enabled": False}}),
    "network policies": hub({"networkPolicy": {"enabled": True}}),
    "narrow network policies": hub(CLOSED, TEST),
    "Ingress": hub(INGRESS),
    "HTTPRoute": hub(HTTP_ROUTE),
    "monitoring": hub(MONITORING),
    "test": hub(TEST),
    "database's authority in a Secret": hub(DATABASE_TLS),
    "database's authority in a ConfigMap": hub({"database": {"tls": {"caConfigMap": "ca", "mode": "verify-ca"}}}),
    "image by digest": hub({"image": {"repository": "registry.example/sms-hub", "digest": f"sha256:{'0' * 64}"}}),
    "placed": hub(EVERYWHERE, TEST, {"imagePullSecrets": [{"name": "pull"}], "commonLabels": {"team": "texts"}}),
    "other names": hub({"nameOverride": "texter", "fullnameOverride": "f" * 60}),
    "extra objects": hub(
        {
            "extraObjects": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-a"}},
                'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "sms-hub.fullname" . }}-b\n',
            ]
        }
    ),
    "OpenShift": hub({"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}),
    "demo": DEMO,
    "demo that keeps": merged(
        DEMO,
        {"demo": {"persistence": {"enabled": True, "storageClassName": "fast"}}},
        EVERYWHERE,
        CLOSED,
        INGRESS,
        MONITORING,
    ),
    "everything": hub(
        AUTOSCALED_API,
        BY_KEDA,
        CLOSED,
        INGRESS,
        HTTP_ROUTE,
        MONITORING,
        TEST,
        DATABASE_TLS,
        EVERYWHERE,
    ),
}
