"""CloudFormation's IAM types, which moto lacks (OIDCProvider), never updates or never deletes.

moto finds a type's class among the subclasses of its own model class; the last one defined wins, so
importing this module is enough. A physical id is what `Ref` gives.
Source: CloudFormation template reference, "AWS::IAM::Role", "AWS::IAM::ManagedPolicy",
"AWS::IAM::OIDCProvider".
"""

from __future__ import annotations

import json
from typing import Any, ClassVar, Self

from moto.backends import get_backend
from moto.core.common_models import CloudFormationModel

from runner.local.iam_layer import load_managed
from runner.local.policy_syntax import Kind, problem
from runner.local.wire import AwsError, Rule

Properties = dict[str, Any]


class _Iam:
    """What the three types share: identity, attributes, replacement, deletion."""

    NAME: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[tuple[str, ...]] = ()
    # Changing one of these makes a new resource and then removes the old one.
    REPLACING: ClassVar[tuple[str, ...]] = ()

    def __init__(self, account: str, properties: Properties) -> None:
        self.backend: Any = get_backend("iam")[account]["aws"]
        self.properties = properties
        self.made: Any = self.create()
        self.apply()

    # -- for each type --

    def create(self) -> Any:
        raise NotImplementedError

    def apply(self) -> None:
        """Brings what was made to `self.properties`."""
        raise NotImplementedError

    def remove(self) -> None:
        raise NotImplementedError

    # -- what moto calls --

    @property
    def physical_resource_id(self) -> str:
        return str(self.made.arn)

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.NAME

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.ATTRIBUTES

    def get_cfn_attribute(self, name: str) -> str:
        return {"Arn": self.made.arn, "PolicyArn": self.made.arn}.get(name) or str(self.made.id)

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str,
        region_name: str, **_more: Any,
    ) -> Self:  # fmt: skip
        return cls(account_id, cls._named(resource_name, cloudformation_json))

    @classmethod
    def update_from_cloudformation_json(
        cls, original_resource: Self, new_resource_name: str, cloudformation_json: Properties,
        account_id: str, region_name: str,
    ) -> Self:  # fmt: skip
        old = original_resource.properties
        wanted = cls._named(old.get(cls.NAME, new_resource_name), cloudformation_json)
        if any(old.get(name) != wanted.get(name) for name in cls.REPLACING):
            replacing = cls(account_id, wanted)
            original_resource.remove()
            return replacing
        original_resource.properties = wanted
        original_resource.apply()
        return original_resource

    @classmethod
    def _named(cls, name: str, template: Properties) -> Properties:
        given: Properties = template.get("Properties", {})
        return {cls.NAME: name} | given if cls.NAME else given

    def delete(self, _account: str, _region: str) -> None:
        self.remove()

    def is_created(self) -> bool:
        return True


class RoleType(_Iam, CloudFormationModel):
    NAME = "RoleName"
    ATTRIBUTES = ("Arn", "RoleId")
    REPLACING = ("RoleName", "Path")

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::IAM::Role"

    @property
    def physical_resource_id(self) -> str:
        return str(self.made.name)

    def create(self) -> Any:
        boundary = self.properties.get("PermissionsBoundary")
        if boundary and boundary not in self.backend.managed_policies:
            raise AwsError("ValidationError", f"Scope ARN: {boundary} does not exist")
        return self.backend.create_role(
            role_name=self.properties["RoleName"],
            assume_role_policy_document=self._trust(),
            path=self.properties.get("Path", "/"),
            permissions_boundary=boundary,
            description=self.properties.get("Description", ""),
            tags=self.properties.get("Tags", []),
            max_session_duration=self.properties.get("MaxSessionDuration", 3600),
        )

    def apply(self) -> None:
        role, wanted = self.made, self.properties
        role.assume_role_policy_document = self._trust()
        role.permissions_boundary_arn = wanted.get("PermissionsBoundary")
        role.description = wanted.get("Description", "")
        role.max_session_duration = wanted.get("MaxSessionDuration", 3600)
        role.policies = {
            each["PolicyName"]: _text(each["PolicyDocument"], Kind.IDENTITY)
            for each in wanted.get("Policies", [])
        }
        self._attach(wanted.get("ManagedPolicyArns", []))

    def _trust(self) -> str:
        return _text(self.properties["AssumeRolePolicyDocument"], Kind.TRUST)

    def _attach(self, wanted: list[str]) -> None:
        attached = set(self.made.managed_policies)
        for arn in sorted(attached - set(wanted)):
            self.backend.detach_role_policy(arn, self.made.name)
        for arn in sorted(set(wanted) - attached):
            load_managed(self.backend, arn)
            self.backend.attach_role_policy(arn, self.made.name)

    def remove(self) -> None:
        self._attach([])
        self.made.policies = {}
        self.backend.delete_role(self.made.name)


class ManagedPolicyType(_Iam, CloudFormationModel):
    NAME = "ManagedPolicyName"
    ATTRIBUTES = ("PolicyArn", "PolicyId")
    REPLACING = ("ManagedPolicyName", "Path", "Description")

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::IAM::ManagedPolicy"

    def create(self) -> Any:
        return self.backend.create_policy(
            policy_name=self.properties["ManagedPolicyName"],
            policy_document=self._document(),
            path=self.properties.get("Path", "/"),
            description=self.properties.get("Description"),
            tags=[],
        )

    def _document(self) -> str:
        return _text(self.properties["PolicyDocument"], Kind.IDENTITY)

    def apply(self) -> None:
        """A change of the document is a new default version; the oldest of five goes first."""
        versions = self.backend.list_policy_versions(self.made.arn)
        current = self.backend.get_policy_version(self.made.arn, self.made.default_version_id)
        if current.document == self._document():
            return
        if len(versions) >= 5:
            oldest = next(each for each in versions if not each.is_default)
            self.backend.delete_policy_version(self.made.arn, oldest.version_id)
        self.backend.create_policy_version(self.made.arn, self._document(), "true")

    def remove(self) -> None:
        self.backend.delete_policy(self.made.arn)


class ProviderType(_Iam, CloudFormationModel):
    ATTRIBUTES = ("Arn",)
    REPLACING = ("Url",)

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::IAM::OIDCProvider"

    def create(self) -> Any:
        return self.backend.create_open_id_connect_provider(
            url=self.properties["Url"],
            thumbprint_list=self.properties.get("ThumbprintList", []),
            client_id_list=self.properties.get("ClientIdList", []),
            tags=[],
        )

    def apply(self) -> None:
        self.made.thumbprint_list = list(self.properties.get("ThumbprintList", []))
        self.made.client_id_list = list(self.properties.get("ClientIdList", []))

    def remove(self) -> None:
        self.backend.delete_open_id_connect_provider(self.made.arn)


def _text(document: Any, kind: Kind) -> str:
    """The document as JSON; YAML reads a bare `2012-10-17` as a date."""
    text = document if isinstance(document, str) else json.dumps(document, default=str)
    wrong = problem(text, kind)
    if wrong:
        raise AwsError("ValidationError", wrong)
    return text


RULES: tuple[Rule, ...] = (
    Rule(service="cloudformation", rule="AWS::IAM::Role, ManagedPolicy and OIDCProvider are made, "
         "updated in place, replaced where AWS replaces them, and removed",
         page='CloudFormation template reference, "AWS Identity and Access Management"'),
)  # fmt: skip
