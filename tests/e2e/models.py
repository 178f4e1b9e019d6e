# SPDX-License-Identifier: BSD-2-Clause
"""What the service's public model demands of each input, and ways to break it.

The model is the one that Debian's botocore loads, with the changes that the
service's newer models made to it.
"""

import copy
import json
import re

import botocore.loaders

MODEL = botocore.loaders.Loader().load_service_model("servicediscovery", "service-2")
SHAPES = copy.deepcopy(MODEL["shapes"])
CALLS = copy.deepcopy(MODEL["operations"])

# Operations and members that are younger than Debian's model.

_ID, _ACCOUNT = {"shape": "Arn"}, {"shape": "AWSAccountId"}

_YOUNGER_CALLS = {
    "DiscoverInstancesRevision": (
        {"NamespaceName": "NamespaceName", "ServiceName": "ServiceName",
         "OwnerAccount": "AWSAccountId"}, ["NamespaceName", "ServiceName"],
        {"InstancesRevision": "Revision"},
        ["NamespaceNotFound", "ServiceNotFound", "RequestLimitExceeded"]),
    "GetServiceAttributes": (
        {"ServiceId": "Arn"}, ["ServiceId"], {"ServiceAttributes": "ServiceAttributes"},
        ["ServiceNotFound"]),
    "UpdateServiceAttributes": (
        {"ServiceId": "Arn", "Attributes": "ServiceAttributesMap"},
        ["ServiceId", "Attributes"], {},
        ["ServiceNotFound", "ServiceAttributesLimitExceededException"]),
    "DeleteServiceAttributes": (
        {"ServiceId": "Arn", "Attributes": "ServiceAttributeKeyList"},
        ["ServiceId", "Attributes"], {}, ["ServiceNotFound"])}

_YOUNGER_SHAPES = {
    "Arn": {"type": "string", "max": 255},
    "OperationId": {"type": "string", "max": 255},
    "AWSAccountId": {"type": "string", "max": 12, "min": 12},
    "Revision": {"type": "long"},
    "NamespaceName": {"type": "string", "max": 1024, "pattern": "^[!-~]{1,1024}$"},
    "ServiceAttributeKey": {"type": "string", "max": 255},
    "ServiceAttributeValue": {"type": "string", "max": 1024},
    "ServiceAttributesMap": {
        "type": "map", "min": 1, "max": 30, "key": {"shape": "ServiceAttributeKey"},
        "value": {"shape": "ServiceAttributeValue"}},
    "ServiceAttributeKeyList": {
        "type": "list", "min": 1, "max": 30, "member": {"shape": "ServiceAttributeKey"}},
    "ServiceAttributes": {"type": "structure", "members": {
        "ServiceArn": _ID, "ResourceOwner": _ACCOUNT,
        "Attributes": {"shape": "ServiceAttributesMap"}}},
    "ServiceAttributesLimitExceededException": {
        "type": "structure", "members": {"Message": {"shape": "ErrorMessage"}}}}

# Members of responses that only the newest models have.
_YOUNGER_MEMBERS = {
    "Namespace": {"ResourceOwner": _ACCOUNT}, "NamespaceSummary": {"ResourceOwner": _ACCOUNT},
    "Service": {"ResourceOwner": _ACCOUNT, "CreatedByAccount": _ACCOUNT},
    "ServiceSummary": {"ResourceOwner": _ACCOUNT, "CreatedByAccount": _ACCOUNT},
    "Instance": {"CreatedByAccount": _ACCOUNT}, "InstanceSummary": {"CreatedByAccount": _ACCOUNT},
    "GetInstanceResponse": {"ResourceOwner": _ACCOUNT},
    "ListInstancesResponse": {"ResourceOwner": _ACCOUNT},
    "DiscoverInstancesResponse": {"InstancesRevision": {"shape": "Revision"}},
    "Operation": {"OwnerAccount": _ACCOUNT},
    "ServiceAlreadyExists": {"ServiceArn": _ID},
    "DuplicateRequest": {"DuplicateOperationId": {"shape": "OperationId"}}}


def _structure(members, required=()):
    return {"type": "structure", "required": list(required),
            "members": {name: {"shape": shape} for name, shape in members.items()}}


def _update_shapes():
    SHAPES.update(_YOUNGER_SHAPES)
    for name, (members, required, output, errors) in _YOUNGER_CALLS.items():
        CALLS[name] = {"name": name, "input": {"shape": name + "Request"},
                       "output": {"shape": name + "Response"},
                       "errors": [{"shape": error} for error in ["InvalidInput", *errors]]}
        SHAPES[name + "Request"] = _structure(members, required)
        SHAPES[name + "Response"] = _structure(output)
    for name in ("GetNamespace", "DeleteNamespace", "GetService", "DeleteService",
                 "UpdateHttpNamespace", "UpdatePrivateDnsNamespace",
                 "UpdatePublicDnsNamespace", "UpdateService"):
        SHAPES[name + "Request"]["members"]["Id"] = _ID
    SHAPES["CreateServiceRequest"]["members"]["NamespaceId"] = _ID
    for name in ("RegisterInstance", "DeregisterInstance", "GetInstance", "ListInstances",
                 "UpdateInstanceCustomHealthStatus", "GetInstancesHealthStatus"):
        SHAPES[name + "Request"]["members"]["ServiceId"] = _ID
    SHAPES["GetOperationRequest"]["members"].update(
        OperationId={"shape": "OperationId"}, OwnerAccount=_ACCOUNT)
    SHAPES["DiscoverInstancesRequest"]["members"]["OwnerAccount"] = _ACCOUNT
    SHAPES["NamespaceFilterName"]["enum"] = ["TYPE", "NAME", "HTTP_NAME", "RESOURCE_OWNER"]
    SHAPES["ServiceFilterName"]["enum"] = ["NAMESPACE_ID", "RESOURCE_OWNER"]
    SHAPES["NamespaceNameHttp"]["pattern"] = r"^(?!arn:)[!-~]{1,1024}$"
    SHAPES["NamespaceNamePrivate"]["pattern"] = r"^(?!arn:)[!-~]{1,253}$"
    for name, members in _YOUNGER_MEMBERS.items():
        SHAPES[name]["members"].update(members)


_update_shapes()
OPERATIONS = sorted(CALLS)


def input_shape(operation):
    return CALLS[operation]["input"]["shape"]


_KINDS = {"string": str, "integer": int, "long": int, "timestamp": (int, float),
          "list": list, "map": dict, "structure": dict}


# AWS answers these as {} for what has no DNS, whatever their required members.
_MAY_BE_EMPTY = {"DnsConfig", "SOA"}

# The model requires nothing of responses; these members are never left out all the same,
# because clients use them without asking.
_SERVICE = ["Id", "Arn", "Name", "ResourceOwner", "CreatedByAccount", "InstanceCount",
            "DnsConfig", "Type", "CreateDate"]
_NAMESPACE = ["Id", "Arn", "ResourceOwner", "Name", "Type", "ServiceCount", "Properties",
              "CreateDate"]
_ALWAYS = {
    "Namespace": [*_NAMESPACE, "CreatorRequestId"], "NamespaceSummary": _NAMESPACE,
    "NamespaceProperties": ["DnsProperties", "HttpProperties"], "HttpProperties": ["HttpName"],
    "Service": [*_SERVICE, "NamespaceId", "CreatorRequestId"], "ServiceSummary": _SERVICE,
    "DnsConfig": ["RoutingPolicy"], "HealthCheckConfig": ["FailureThreshold"],
    "HealthCheckCustomConfig": ["FailureThreshold"],
    "ServiceAttributes": ["ServiceArn", "ResourceOwner", "Attributes"],
    "Instance": ["CreatorRequestId", "Attributes", "CreatedByAccount"],
    "InstanceSummary": ["Id", "Attributes", "CreatedByAccount"],
    "HttpInstanceSummary": ["InstanceId", "NamespaceName", "ServiceName", "HealthStatus",
                            "Attributes"],
    "Operation": ["Id", "OwnerAccount", "Type", "Status", "CreateDate", "UpdateDate",
                  "Targets"],
    "OperationSummary": ["Id", "Status"],
    "GetNamespaceResponse": ["Namespace"], "GetServiceResponse": ["Service"],
    "CreateServiceResponse": ["Service"], "GetOperationResponse": ["Operation"],
    "GetServiceAttributesResponse": ["ServiceAttributes"],
    "GetInstanceResponse": ["ResourceOwner", "Instance"],
    "ListNamespacesResponse": ["Namespaces"], "ListServicesResponse": ["Services"],
    "ListInstancesResponse": ["ResourceOwner", "Instances"],
    "ListOperationsResponse": ["Operations"], "ListTagsForResourceResponse": ["Tags"],
    "GetInstancesHealthStatusResponse": ["Status"],
    "DiscoverInstancesResponse": ["Instances", "InstancesRevision"],
    "DiscoverInstancesRevisionResponse": ["InstancesRevision"],
    **{name: ["OperationId"] for name in (
        "CreateHttpNamespaceResponse", "CreatePrivateDnsNamespaceResponse",
        "CreatePublicDnsNamespaceResponse", "UpdateHttpNamespaceResponse",
        "UpdatePrivateDnsNamespaceResponse", "UpdatePublicDnsNamespaceResponse",
        "DeleteNamespaceResponse", "UpdateServiceResponse", "RegisterInstanceResponse",
        "DeregisterInstanceResponse")},
    "NamespaceAlreadyExists": ["CreatorRequestId", "NamespaceId"],
    "ServiceAlreadyExists": ["CreatorRequestId", "ServiceId", "ServiceArn"],
    "DuplicateRequest": ["DuplicateOperationId"]}


def response_faults(shape_name, value, path="reply"):
    """Everything in a response that its shape does not allow."""
    shape = SHAPES[shape_name]
    kind = shape["type"]
    if not isinstance(value, _KINDS[kind]) or isinstance(value, bool):
        return [f"{path}: {value!r} is no {kind}"]
    if kind == "string" and "enum" in shape and value not in shape["enum"]:
        return [f"{path}: {value!r} is none of {shape['enum']}"]
    if kind == "string" and len(value) > shape.get("max", len(value)):
        return [f"{path}: {value!r} is longer than {shape['max']}"]
    if kind == "list":
        return [fault for number, item in enumerate(value)
                for fault in response_faults(shape["member"]["shape"], item,
                                             f"{path}[{number}]")]
    if kind == "map":
        return [fault for key, item in value.items()
                for fault in (response_faults(shape["key"]["shape"], key, f"{path} key")
                              + response_faults(shape["value"]["shape"], item,
                                                f"{path}.{key}"))]
    if kind != "structure":
        return []
    if not value and shape_name in _MAY_BE_EMPTY:
        return []
    found = [f"{path}.{name} is missing"
             for name in [*shape.get("required", ()), *_ALWAYS.get(shape_name, ())]
             if name not in value]
    for name, item in value.items():
        if name not in shape["members"]:
            found.append(f"{path}.{name} is not in the model")
        else:
            found += response_faults(shape["members"][name]["shape"], item,
                                     f"{path}.{name}")
    return found


# Of the front end, in no operation's list; its members are not modelled.
_COMMON_ERRORS = {"SerializationException", "IncompleteSignatureException",
                  "ThrottlingException"}


def error_faults(operation, body):
    """Everything in an error's body that the model does not allow for the operation."""
    code = body.get("__type")
    if code in _COMMON_ERRORS:
        return []
    if code not in {error["shape"] for error in CALLS[operation].get("errors", ())}:
        return [f"{code} is not modelled"]
    fields = {name: value for name, value in body.items() if name != "__type"}
    if not fields.get("Message"):
        return ["there is no Message"]
    return response_faults(code, fields, code)


def check_reply(operation, status, body):
    """A reply must be what the model promises: output shape, or a modelled error."""
    if operation not in CALLS or status not in (200, 400):
        return
    if status == 400:
        faults = error_faults(operation, json.loads(body))
        assert not faults, (operation, faults)
    elif "output" not in CALLS[operation]:
        assert body == b"", (operation, body)
    else:
        faults = response_faults(CALLS[operation]["output"]["shape"], json.loads(body))
        assert not faults, (operation, faults)


def lower_first(name):
    return name[0].lower() + name[1:]


def violations(shape_name, value, path=""):
    """Every (path, constraint) that a value of the right type breaks."""
    if value is None:
        return [(path, "Member must not be null")]
    shape = SHAPES[shape_name]
    kind = shape["type"]
    found = []

    def broken(constraint):
        found.append((path, constraint))

    if kind in ("string", "list", "map"):
        if "max" in shape and len(value) > shape["max"]:
            broken(f"Member must have length less than or equal to {shape['max']}")
        if len(value) < shape.get("min", 0):
            broken(f"Member must have length greater than or equal to {shape['min']}")
    if kind in ("integer", "long"):
        if "max" in shape and value > shape["max"]:
            broken(f"Member must have value less than or equal to {shape['max']}")
        if "min" in shape and value < shape["min"]:
            broken(f"Member must have value greater than or equal to {shape['min']}")
    if kind == "string":
        if "pattern" in shape and not re.search(shape["pattern"], value):
            broken(f"Member must satisfy regular expression pattern: {shape['pattern']}")
        if "enum" in shape and value not in shape["enum"]:
            broken(f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]")
    if kind == "list":
        for number, item in enumerate(value, 1):
            found += violations(shape["member"]["shape"], item, f"{path}.{number}.member")
    if kind == "map":
        for key, item in value.items():
            found += [(path, f"Map keys must satisfy constraint: [{constraint}]")
                      for _, constraint in violations(shape["key"]["shape"], key)]
            found += violations(shape["value"]["shape"], item, f"{path}.{key}.member")
    if kind == "structure":
        for name, member in shape["members"].items():
            where = f"{path}.{lower_first(name)}".lstrip(".")
            if value.get(name) is not None:
                found += violations(member["shape"], value[name], where)
            elif name in shape.get("required", ()):
                found.append((where, "Member must not be null"))
    return found


def _limits(shape):
    """The constraints of a shape itself that a value of its type can break."""
    kind = shape["type"]
    if kind in ("string", "list", "map"):
        if "max" in shape:
            yield f"Member must have length less than or equal to {shape['max']}"
        if shape.get("min", 0) > 0:
            yield f"Member must have length greater than or equal to {shape['min']}"
    if kind in ("integer", "long"):
        for bound, word in (("max", "less"), ("min", "greater")):
            if bound in shape:
                yield f"Member must have value {word} than or equal to {shape[bound]}"
    if "pattern" in shape:
        yield f"Member must satisfy regular expression pattern: {shape['pattern']}"
    if "enum" in shape:
        yield f"Member must satisfy enum value set: [{', '.join(shape['enum'])}]"


def constraints(shape_name, path=""):
    """Every (path, constraint) of an input, at every depth; elements are called N."""
    shape = SHAPES[shape_name]
    found = {(path, limit) for limit in _limits(shape)}
    if shape["type"] == "structure":
        for name, member in shape["members"].items():
            where = f"{path}.{lower_first(name)}".lstrip(".")
            if name in shape.get("required", ()):
                found.add((where, "Member must not be null"))
            found |= constraints(member["shape"], where)
    elif shape["type"] == "list":
        found.add((f"{path}.N.member", "Member must not be null"))
        found |= constraints(shape["member"]["shape"], f"{path}.N.member")
    elif shape["type"] == "map":
        found.add((f"{path}.N.member", "Member must not be null"))
        found |= {(path, f"Map keys must satisfy constraint: [{limit}]")
                  for limit in _limits(SHAPES[shape["key"]["shape"]])}
        found |= constraints(shape["value"]["shape"], f"{path}.N.member")
    return found


def nameless(path):
    """The path with N for each element of a list or a map."""
    return re.sub(r"\.[^.]+\.member", ".N.member", path)


_EXAMPLES = {"NamespaceNamePublic": "a.example", "ServiceName": "web", "InstanceId": "i-1",
             "AttrKey": "key", "AttrValue": "value"}


def example(shape_name):
    """A value that breaks nothing, with every member present."""
    shape = SHAPES[shape_name]
    kind = shape["type"]
    if kind == "structure":
        return {name: example(m["shape"]) for name, m in shape["members"].items()}
    if kind == "list":
        return [example(shape["member"]["shape"])]
    if kind == "map":
        return {example(shape["key"]["shape"]): example(shape["value"]["shape"])}
    if kind in ("integer", "long"):
        return shape.get("min", 1)
    if "enum" in shape:
        return shape["enum"][0]
    return _EXAMPLES.get(shape_name, "x" * max(1, shape.get("min", 1)))


def _bad_scalars(shape):
    kind = shape["type"]
    if kind in ("integer", "long"):
        for bound in ("max", "min"):
            if bound in shape:
                yield bound, shape[bound] + (1 if bound == "max" else -1)
        if "max" in shape:
            yield "far", 2 ** 62
    elif kind == "string":
        if "max" in shape:
            yield "max", "x" * (shape["max"] + 1)
            yield "max-unicode", "\u2603" * (shape["max"] + 1)
        if shape.get("min", 0) > 0:
            yield "min", "x" * (shape["min"] - 1)
        if "pattern" in shape:
            yield "pattern", "\u00fc no -"
            yield "pattern-control", "\u0001"
            if not re.search(shape["pattern"], ""):
                yield "pattern-empty", ""
        if "enum" in shape:
            yield "enum", "NO_SUCH"
            yield "enum-case", shape["enum"][0].lower()
            yield "enum-empty", ""


def mutations(shape_name):
    """(label, value) for one violation at a time, at every depth."""
    shape = SHAPES[shape_name]
    kind = shape["type"]
    yield from _bad_scalars(shape)
    if kind == "structure":
        for name, member in shape["members"].items():
            whole = example(shape_name)
            if name in shape.get("required", ()):
                yield f"{name}-absent", {k: v for k, v in whole.items() if k != name}
                yield f"{name}-null", {**whole, name: None}
            for label, value in mutations(member["shape"]):
                yield f"{name}.{label}", {**whole, name: value}
    elif kind == "list":
        if "max" in shape:
            yield "max", [example(shape["member"]["shape"])] * (shape["max"] + 1)
        if shape.get("min"):
            yield "min", []
        good = example(shape["member"]["shape"])
        yield "2.null", [good, None]
        for label, value in mutations(shape["member"]["shape"]):
            yield f"2.{label}", [good, value]
    elif kind == "map":
        key, value = example(shape["key"]["shape"]), example(shape["value"]["shape"])
        if "max" in shape:
            yield "max", {f"{key}{n}": value for n in range(shape["max"] + 1)}
        if shape.get("min"):
            yield "min", {}
        yield "value.null", {key: None}
        for label, bad in mutations(shape["key"]["shape"]):
            yield f"key.{label}", {bad: value}
        for label, bad in mutations(shape["value"]["shape"]):
            yield f"value.{label}", {key: bad}


def _just_right(shape):
    """Values at the limits of a scalar's shape."""
    kind = shape["type"]
    if kind in ("integer", "long"):
        for bound in ("max", "min"):
            if bound in shape:
                yield bound, shape[bound]
    elif kind == "string" and "enum" in shape:
        for value in shape["enum"]:
            yield value, value
    elif kind == "string":
        pattern = shape.get("pattern", "")
        for bound in ("max", "min"):
            value = "x" * shape.get(bound, 0)
            if bound in shape and re.search(pattern, value):
                yield bound, value
        if "max" in shape and not pattern:
            yield "max-unicode", "\u2603" * shape["max"]


def edges(shape_name):
    """(label, value) that just does not break one limit, at every depth."""
    shape = SHAPES[shape_name]
    kind = shape["type"]
    yield from _just_right(shape)
    if kind == "structure":
        for name, member in shape["members"].items():
            for label, value in edges(member["shape"]):
                yield f"{name}.{label}", {**example(shape_name), name: value}
    elif kind == "list":
        good = example(shape["member"]["shape"])
        for bound in ("max", "min"):
            if bound in shape:
                yield bound, [good] * shape[bound]
        for label, value in edges(shape["member"]["shape"]):
            yield f"2.{label}", [good, value]
    elif kind == "map":
        key, value = example(shape["key"]["shape"]), example(shape["value"]["shape"])
        for bound in ("max", "min"):
            if bound in shape:
                yield bound, {f"{key}{n}": value for n in range(shape[bound])}
        for label, good in edges(shape["key"]["shape"]):
            yield f"key.{label}", {good: value}
        for label, good in edges(shape["value"]["shape"]):
            yield f"value.{label}", {key: good}


_OTHER_TYPES = {"string": [1, True, [], {}, 1.5], "integer": ["1", True, [], {}, 1.5],
                "long": ["1", True, [], {}, 1.5], "list": ["x", 1, {}, True],
                "map": ["x", 1, [], True], "structure": ["x", 1, [], True]}


def type_errors(shape_name):
    """(label, value) with one value of a wrong JSON type, at every depth."""
    shape = SHAPES[shape_name]
    kind = shape["type"]
    for bad in _OTHER_TYPES[kind]:
        yield type(bad).__name__, bad
    if kind == "structure":
        for name, member in shape["members"].items():
            for label, value in type_errors(member["shape"]):
                yield f"{name}.{label}", {**example(shape_name), name: value}
    elif kind == "list":
        for label, value in type_errors(shape["member"]["shape"]):
            yield f"1.{label}", [value]
    elif kind == "map":
        key = example(shape["key"]["shape"])
        for label, value in type_errors(shape["value"]["shape"]):
            yield f"value.{label}", {key: value}
