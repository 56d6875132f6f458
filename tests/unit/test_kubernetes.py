"""examples/kubernetes: valid by the schemas of Kubernetes, and fitting the program and its image."""

import copy
import re
from typing import Any

import pytest
from kubernetes_validate import ValidationError, validate
from kubernetes_validate.utils import resources_from_file

from arauto.settings import SettingsError, read, unknown_settings
from tests.support.servers import ROOT

FILES = sorted((ROOT / "examples" / "kubernetes").glob("*.yaml"))
VERSIONS = ("1.30", "1.37")
Resource = dict[str, Any]


def resources() -> dict[str, Resource]:
    found = [one for file in FILES for one in resources_from_file(str(file))]
    return {one["kind"]: one for one in found}


def pod() -> Resource:
    return dict(resources()["Deployment"]["spec"]["template"])


def container() -> Resource:
    (one,) = pod()["spec"]["containers"]
    return dict(one)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_fits_its_schema(version: str) -> None:
    found = resources()
    assert found.keys() == {
        "Deployment", "Service", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Secret",
    }  # fmt: skip
    for one in found.values():
        validate(one, version, strict=True)
    wrong = copy.deepcopy(found["Deployment"])
    wrong["spec"]["template"]["spec"]["containers"][0]["readinessprobe"] = {}
    with pytest.raises(ValidationError, match="readinessprobe"):
        validate(wrong, version, strict=True)


def test_all_mean_the_same_pods() -> None:
    found, labels = resources(), pod()["metadata"]["labels"]
    assert found["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert found["Service"]["spec"]["selector"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert (
        found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"]
        == (found["Deployment"]["metadata"]["name"])
    )
    assert [one["secretRef"] for one in container()["envFrom"]] == [
        {"name": found["Secret"]["metadata"]["name"]}
    ]


def test_they_fit_to_the_image() -> None:
    image = (ROOT / "Dockerfile").read_text()
    (user, port) = (int(re.findall(rf"^{word} (\d+)", image, re.M)[0]) for word in ("USER", "EXPOSE"))
    context = pod()["spec"]["securityContext"]
    assert (context["runAsNonRoot"], context["runAsUser"]) == (True, user)
    assert [one["containerPort"] for one in container()["ports"]] == [port]
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "/" not in container()["image"]  # only your own registry


def test_times_fit_to_the_program() -> None:
    waits = int(re.findall(r"ARAUTO_REDIS_WAIT=(\d+)", (ROOT / "Dockerfile").read_text())[0])
    startup = container()["startupProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] > waits
    (sleep, seconds) = container()["lifecycle"]["preStop"]["exec"]["command"]
    graceful = int(re.findall(r"^graceful_timeout = (\d+)", (ROOT / "gunicorn.conf.py").read_text(), re.M)[0])
    assert sleep == "sleep"
    assert int(seconds) + 2 * graceful < pod()["spec"]["terminationGracePeriodSeconds"]


def test_the_settings_are_settings_and_forgotten_secrets_are_reported() -> None:
    given = {one["name"]: one["value"] for one in container()["env"]} | resources()["Secret"]["stringData"]
    assert list(unknown_settings(given)) == []
    with pytest.raises(SettingsError, match="ARAUTO_TOKEN does not work"):
        read(given)
    set_ = {name: "x" * 32 for name, value in given.items() if value == "replace me"}
    assert read(given | set_).max_sockets > int(
        resources()["HorizontalPodAutoscaler"]["spec"]["metrics"][0]["pods"]["target"]["averageValue"]
    )
