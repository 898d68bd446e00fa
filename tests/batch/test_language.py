"""The command language: lines and the commands that they stand for."""

from __future__ import annotations

import pytest

from haas_console.core.commands import Apply, Call, Command, ExportSite, Help, ImportSite, Use
from haas_console.core.errors import CommandSyntaxError
from haas_console.core.help import help_text
from haas_console.core.language import Language

NET = {"project": "alpha", "network": "net"}
NIC = {"node": "node-1", "nic": "primary-nic"}


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("network create alpha net", Call("network.create", NET)),
        ("network create alpha net 104", Call("network.create", {**NET, "vlan": 104})),
        ("network create alpha net --vlan 104", Call("network.create", {**NET, "vlan": 104})),
        ("network create --vlan=104 alpha net", Call("network.create", {**NET, "vlan": 104})),
        ("network create --network net alpha", Call("network.create", NET)),
        ("node list", Call("node.list")),
        ("node list --free", Call("node.list", {"free": True})),
        ("node list --no-free", Call("node.list", {"free": False})),
        ("node list --free true alpha", Call("node.list", {"project": "alpha", "free": True})),
        ("node list --no-project", Call("node.list", {"project": None})),
        ("node allocate alpha n1", Call("node.allocate", {"project": "alpha", "node": "n1"})),
        (
            "node allocate alpha --count 2 --tag gpu",
            Call("node.allocate", {"project": "alpha", "count": 2, "tag": "gpu"}),
        ),
        (
            "port register sw1 Gi1/0/1 Gi1/0/2 --role trunk",
            Call(
                "port.register",
                {"switch": "sw1", "ports": ["Gi1/0/1", "Gi1/0/2"], "role": "trunk"},
            ),
        ),
        (
            """node register n1 '{"nic": "a", "kind": "bmc"}' nic=b,port=Gi1/0/2"""
            " --tags x --tags y",
            Call(
                "node.register",
                {
                    "node": "n1",
                    "nics": [{"nic": "a", "kind": "bmc"}, {"nic": "b", "port": "Gi1/0/2"}],
                    "tags": ["x", "y"],
                },
            ),
        ),
        (
            """node register n1 '[{"nic": "a"}, {"nic": "b"}]'""",
            Call("node.register", {"node": "n1", "nics": [{"nic": "a"}, {"nic": "b"}]}),
        ),
        (
            """switch register sw1 --options '{"vdom": 3}'""",
            Call("switch.register", {"switch": "sw1", "options": {"vdom": 3}}),
        ),
        (
            "project add-member alpha alice",
            Call("project.add_member", {"project": "alpha", "user": "alice"}),
        ),
        (
            "project add_member alpha alice",
            Call("project.add_member", {"project": "alpha", "user": "alice"}),
        ),
        ("connect node-1:primary-nic net", Call("nic.connect", {**NIC, "network": "net"})),
        (
            "connect --tagged node-1:primary-nic net",
            Call("nic.connect", {**NIC, "network": "net", "tagged": True}),
        ),
        ("disconnect node-1:primary-nic", Call("nic.disconnect", NIC)),
        ("plan alpha", Call("plan.show", {"project": "alpha"})),
        ("plan --site", Call("plan.show")),
        ("plan show alpha", Call("plan.show", {"project": "alpha"})),
        ("apply alpha", Apply("alpha")),
        ("apply --site --digest abc", Apply(None, "abc")),
        ("apply --project start", Apply("start")),
        ("apply start alpha", Call("apply.start", {"project": "alpha"})),
        ("use alpha", Use("alpha")),
        ("use", Use()),
        ("help node", Help(("node",))),
        ("site import dc.toml --dry_run", ImportSite("dc.toml", {"dry_run": True})),
        ("site import --site 'x = 1'", Call("site.import", {"site": "x = 1"})),
        ("site export", Call("site.export")),
        ("site export dc.toml", ExportSite("dc.toml")),
        ("site export --tenants dc.toml", ExportSite("dc.toml", {"tenants": True})),
        ("odd order --last end a b", Call("odd.order", {"items": ["a", "b"], "last": "end"})),
        ("odd types 2 3", Call("odd.types", {"ratio": 2, "either": 3})),
        ("odd types 0.5 three", Call("odd.types", {"ratio": 0.5, "either": "three"})),
        ("node list --free maybe", Call("node.list", {"project": "maybe", "free": True})),
    ],
)
def test_a_line_is_parsed_into_one_command(language: Language, line: str, meaning: Command) -> None:
    assert language.parse_line(line) == meaning


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("network create net 104", Call("network.create", {**NET, "vlan": 104})),
        ("network create net --project beta", Call("network.create", {**NET, "project": "beta"})),
        ("node allocate n1", Call("node.allocate", {"project": "alpha", "node": "n1"})),
        ("node list", Call("node.list", {"project": "alpha"})),
        ("node list --no-project --free", Call("node.list", {"project": None, "free": True})),
        ("node show n1", Call("node.show", {"node": "n1"})),
        ("project create beta", Call("project.create", {"project": "beta"})),
        ("project add_member ann", Call("project.add_member", {"project": "alpha", "user": "ann"})),
        (
            "project add_member beta ann",
            Call("project.add_member", {"project": "beta", "user": "ann"}),
        ),
        ("plan", Call("plan.show", {"project": "alpha"})),
        ("plan --site", Call("plan.show")),
        ("apply", Apply("alpha")),
        ("apply --site", Apply(None)),
        ("apply --project beta", Apply("beta")),
    ],
)
def test_a_project_in_use_is_filled_in(language: Language, line: str, meaning: Command) -> None:
    assert language.parse_line(line, project="alpha") == meaning


@pytest.mark.parametrize("line", ["apply beta", "plan beta"])
def test_apply_and_plan_can_name_another_project_than_the_one_in_use(
    language: Language, line: str
) -> None:
    command = language.parse_line(line, project="alpha")
    assert command in (Apply("beta"), Call("plan.show", {"project": "beta"}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nod list", 'no such command "nod", did you mean "node"?; there are: apply,'),
        ("node lst", '"node" has no "lst", did you mean "list"?; there are: register, allocate'),
        ("node", "say which; there are: register, allocate"),
        ("node list --fre", 'no option "--fre", did you mean "--free"?; there are --project'),
        ("network create alpha", "NETWORK is missing\n  usage: network create PROJECT NETWORK"),
        ("network create alpha net blue", 'vlan: "blue" is not a whole number'),
        ("network create alpha net 5000", "vlan: 5000 is out of range (2 to 4094)"),
        ("network create alpha net 104 x", 'too many words: "x" has no place'),
        ("network create alpha net 104 --vlan 105", 'too many words: "104" has no place'),
        ("network create alpha net --vlan 1_0 ", 'vlan: "1_0" is not a whole number'),
        ("network create alpha net --vlan", "--vlan needs a value"),
        ("network create alpha net --vlan --vlan", "--vlan needs a value"),
        ("network create a b --vlan 5 --vlan 6", "--vlan is given twice"),
        ("network create Alpha net", 'project: "Alpha" does not fit: A name'),
        ("port register sw1", "PORTS is missing"),
        ("port register sw1 p --role core", 'role: "core" is not one of access, trunk'),
        ('node register n1 \'{"kind": "bmc"}\'', "nics: nic is missing"),
        ("node register n1 '{\"nic\": 1}'", "nics: nic: 1 is not text"),
        ("node register n1 '{\"nic\"'", "is not JSON"),
        ("node register n1 nic=a,colour=red", "nics: there is no colour"),
        ("node register n1 primary", 'nics: "primary" is neither JSON nor KEY=VALUE'),
        ("node register n1 []", "nics: 0 items are too many or too few"),
        ("node show --no-node", "--no-node: node cannot be left empty"),
        ("connect node-1 net", "say which nic as NODE:NIC\n  usage: connect NODE:NIC NETWORK"),
        ("connect n:nic", "NETWORK is missing\n  usage: connect NODE:NIC NETWORK"),
        ("apply", "apply what? Name a project, `use` one, or say --site"),
        ("apply alpha --site", "a project or --site, not both"),
        ("use alpha beta", "use takes one project"),
        ("help nodes", 'no help on "nodes", did you mean "node"?'),
        ("node show 'n1", "the quote ' is not closed"),
    ],
)
def test_a_syntax_error_says_what_is_wrong_and_what_to_do(
    language: Language, line: str, message: str
) -> None:
    with pytest.raises(CommandSyntaxError) as caught:
        language.parse_line(line)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("network create alpha net", True),
        ("network create alpha net 104", True),
        ("network create alpha net blue", False),
        ("network create beta net", False),
        ("network create alpha --vlan blue", False),
    ],
)
def test_a_project_named_beside_the_one_in_use_is_to_be_left_out(
    language: Language, line: str, told: bool
) -> None:
    with pytest.raises(CommandSyntaxError) as caught:
        language.parse_line(line, project="alpha")
    hint = "; alpha is the project in use, so leave it out\n  usage: network create NETWORK"
    assert (hint in str(caught.value)) == told


def test_blank_lines_and_comments_are_no_commands(language: Language) -> None:
    assert language.parse_line("   # later") is None


def test_help_has_a_usage_line_for_every_command(language: Language) -> None:
    overview = help_text(language, Help())
    for noun, verbs in language.api.nouns.items():
        assert noun in overview
        for verb in verbs:
            assert f"usage: {language.usage(noun, verb)}" in help_text(language, Help((noun, verb)))
    assert "network create PROJECT NETWORK [--vlan VLAN]" in help_text(language, Help(("network",)))
    assert "{nic, kind?, switch?, port?}" in help_text(language, Help(("node", "register")))
    assert "connect NODE:NIC" in help_text(language, Help(("connect",)))
