"""Lay HaaS out as it is installed: ``debian/stage.py TREE VERSION``, with Python's version.

TREE becomes the root of the package. ``/usr/lib/haas`` is a virtual environment of Debian's Python,
with the wheels that constraints.txt names. libvirt's binding is Debian's, since it must fit the
installed libvirt. ``--depends VERSION`` prints the dependency on Python.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

HOME = "usr/lib/haas"
EXAMPLES = Path("examples/master")
AGENT = Path("examples/pacemaker/haas-rpcd")
FILES = Path("debian/installed")

PROGRAMS = {
    "haas-rpcd": ("haas_rpcd.__main__", "usr/sbin", 8, "the HaaS daemon"),
    "haas-console": ("haas_console.cli", "usr/bin", 1, "the console of HaaS"),
}
"""Each program's module, folder, and section and title of its man page."""

SUBCOMMANDS = {
    "haas-rpcd doctor": "check a HaaS master",
    "haas-rpcd backup": "copy the HaaS database to a file",
    "haas-rpcd restore": "put a backup in the place of the HaaS database",
    "haas-rpcd standby": "serve reads, and take over from the other HaaS master",
    "haas-rpcd link-files": "keep network managers off the links of HaaS",
    "haas-console inventory": "the nodes of HaaS as an inventory for Ansible",
    "haas-console serve": "the console of HaaS in browsers",
}

SEE_ALSO = "haas-rpcd(8), haas-rpcd-doctor(8), haas-console(1), haas.toml(5)"

COPIES = {
    "haas-links.network": "usr/lib/systemd/network/05-haas-links.network",
    "haas-links.conf": "usr/lib/NetworkManager/conf.d/05-haas-links.conf",
    "haas-modules.conf": "usr/lib/modules-load.d/haas.conf",
    "credentials.toml": "etc/haas/credentials.toml",
}

WHEEL_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
OLD_TAGS = ("manylinux2014", "manylinux2010", "manylinux1")
GLIBC = range(5, 37)
"""Minor versions of glibc 2 that wheels may be built for; Debian 12 has 2.36."""


def stage(tree: Path, python: str) -> None:
    """Lay out everything."""
    site = tree / HOME / "lib" / f"python{python}" / "site-packages"
    install_wheels(site, python)
    link_libvirt(site, python)
    make_environment(tree, python)
    for source, target in COPIES.items():
        write(tree / target, (FILES / source).read_text())
    agent = tree / "usr/lib/ocf/resource.d/haas/haas-rpcd"
    write(agent, AGENT.read_text())
    agent.chmod(0o755)
    write(tree / "etc/haas/haas.toml", without_master((EXAMPLES / "haas.toml").read_text()))
    for unit in ("haas-rpcd.service", "haas-network.service"):
        text = (EXAMPLES / unit).read_text().partition("\n")[2]
        text = text.replace("/opt/haas/bin/haas-rpcd", "/usr/sbin/haas-rpcd")
        text = text.replace("/opt/haas", f"/{HOME}")
        write(tree / "lib/systemd/system" / unit, text)
    documents(tree)
    man_pages(tree)
    completions(tree)


def install_wheels(site: Path, python: str) -> None:
    """Install HaaS and its dependencies for a Python that need not be on this machine."""
    machine = WHEEL_ARCHITECTURES[output("dpkg", "--print-architecture")]
    tags = [f"manylinux_2_{minor}_{machine}" for minor in GLIBC]
    tags += [f"{old}_{machine}" for old in OLD_TAGS]
    wheels = Path("debian/wheels")
    pip("wheel", "--constraint", "constraints.txt", "--wheel-dir", str(wheels), ".[serve,ipmi]")
    (haas,) = wheels.glob("haas-*.whl")
    pip(
        *("install", "--target", str(site), "--no-compile", "--only-binary=:all:"),
        *("--find-links", str(wheels), "--constraint", "constraints.txt"),
        *("--python-version", python, "--implementation", "cp"),
        *("--abi", f"cp{python.replace('.', '')}"),
        *(word for tag in tags for word in ("--platform", tag)),
        f"{haas}[serve,ipmi]",
    )
    shutil.rmtree(site / "bin")  # the dependencies' own programs
    for unused in (*site.glob("pip*"), *site.glob("*.dist-info/direct_url.json")):
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink()
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text().splitlines(keepends=True)
        kept = (line for line in lines if "direct_url.json" not in line and ".." not in line)
        record.write_text("".join(sorted(kept)))


def link_libvirt(site: Path, python: str) -> None:
    """Make Debian's python3-libvirt, and nothing else of Debian's, visible."""
    triplet = sysconfig.get_config_var("MULTIARCH")
    for name in ("libvirt.py", f"libvirtmod.cpython-{python.replace('.', '')}-{triplet}.so"):
        (site / name).symlink_to(f"/usr/lib/python3/dist-packages/{name}")


def make_environment(tree: Path, python: str) -> None:
    """Write what makes the folder a virtual environment, and the programs."""
    binaries = tree / HOME / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python3").symlink_to(f"/usr/bin/python{python}")
    configuration = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python}\n"
    write(tree / HOME / "pyvenv.cfg", configuration)
    for name, (module, folder, *_) in PROGRAMS.items():
        program = binaries / name
        write(
            program,
            f"#!/{HOME}/bin/python3 -I\nimport sys\n\nfrom {module} import main\n\n"
            "sys.exit(main())\n",
        )
        program.chmod(0o755)
        (tree / folder).mkdir(parents=True, exist_ok=True)
        (tree / folder / name).symlink_to(f"/{HOME}/bin/{name}")


def without_master(text: str) -> str:
    """Comment the table [master] out, as only the admin knows the trunk nic."""
    head, master, rest = re.split(r"(?m)^(?=\[master\]|\[credentials\])", text)
    commented = re.sub(r"(?m)^(?=\S)", "#", master.rstrip())
    advice = (
        "# Name the nic on the switch's trunk port here; haas-rpcd doctor lists those there are.\n"
    )
    return f"{head}{advice}{commented}\n\n{rest}"


def documents(tree: Path) -> None:
    """Copy the documentation and the examples."""
    target = tree / "usr/share/doc/haas"
    for name in ("README.md", "CHANGELOG.md", "ARCHITECTURE.md"):
        write(target / name, Path(name).read_text())
    for path in Path("docs").glob("*.md"):
        write(target / "docs" / path.name, path.read_text())
    for path in (*EXAMPLES.glob("*.toml"), *Path("examples").glob("*.*")):
        write(target / "examples" / path.name, path.read_text())
    for folder in ("ansible", "client"):
        for path in Path("examples", folder).iterdir():
            if path.is_file():
                write(target / path, path.read_text())


def man_pages(tree: Path) -> None:
    """Make man pages from the programs' --help, and haas.toml(5) from its JSON schema."""
    for name, (_, _, section, title) in PROGRAMS.items():
        man_page(tree, (name,), section, title)
    for words, title in SUBCOMMANDS.items():
        man_page(tree, tuple(words.split()), PROGRAMS[words.split()[0]][2], title)
    schema = json.loads(Path("schemas/config.schema.json").read_text())
    write(tree / "usr/share/man/man5/haas.toml.5", settings_page(schema))


def man_page(tree: Path, words: tuple[str, ...], section: int, title: str) -> None:
    """Make one man page with help2man(1), from what the program's --help prints."""
    program = Path("debian") / "-".join(words)
    package, subcommand = words[0].replace("-", "_"), " ".join(words[1:])
    write(
        program,
        "#!/bin/sh\n"
        f'COLUMNS=500 "{sys.executable}" -m {package} {subcommand} --help |'
        " sed -E 's/^(usage|options|positional arguments|subcommands|exit codes):/\\u&/'\n",
    )
    program.chmod(0o755)
    more = Path("debian/more.h2m")
    write(more, commands() if words == ("haas-console",) else "[SEE ALSO]\n" + SEE_ALSO)
    page = tree / f"usr/share/man/man{section}" / f"{program.name}.{section}"
    page.parent.mkdir(parents=True, exist_ok=True)
    with open("pyproject.toml", "rb") as file:
        version = tomllib.load(file)["project"]["version"]
    command = (
        *("help2man", "--no-info", "--section", str(section), "--name", title),
        *("--version-string", version, "--include", str(more), str(program)),
    )
    text = subprocess.run(command, check=True, capture_output=True, text=True)
    write(page, text.stdout)
    program.unlink()
    more.unlink()


def commands() -> str:
    """Return the section about the command language, from the packaged API, for help2man(1)."""
    from haas_console.core.api import packaged_api
    from haas_console.core.help import command_rows
    from haas_console.core.language import Language
    from haas_console.core.topics import TOPICS

    lines = ["[COMMANDS]", "Words beyond the required ones fill the options in their order."]
    lines += terms(command_rows(Language(packaged_api())))
    for topic in TOPICS.values():
        lines += ["", f"[{topic.title.partition(':')[0].upper()}]", *terms(topic.rows)]
        lines += [".PP", roff(topic.remark)]
    return "\n".join([*lines, "", "[SEE ALSO]", SEE_ALSO])


def terms(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return rows of two columns as a list of terms."""
    return [
        line for term, text in rows for line in (".TP", f".B {roff(term)}", roff(text) or "\\&")
    ]


def roff(text: str) -> str:
    """Return a text as a line of roff(7)."""
    return text.replace("\\", "\\e").replace("-", "\\-")


def settings_page(schema: dict[str, Any]) -> str:
    """Return haas.toml(5): every setting with its default and description."""
    tables = schema["$defs"]
    lines = [
        '.TH HAAS.TOML 5 "" haas "File formats"',
        ".SH NAME",
        "haas.toml \\- the settings of haas\\-rpcd(8)",
        ".SH DESCRIPTION",
        "The daemon reads /etc/haas/haas.toml, a TOML file. Every table may be left out.",
        "Check it with haas\\-rpcd \\-\\-check\\-config; /usr/share/doc/haas/docs/configuration.md",
        "says more.",
        ".SH SETTINGS",
        *(line for entry in settings(schema["$defs"]["Settings"], tables) for line in entry),
        ".SH SEE ALSO",
        SEE_ALSO,
    ]
    return "\n".join(lines) + "\n"


def settings(top: dict[str, Any], tables: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the lines of each setting, table by table."""
    for table, where in top["properties"].items():
        reference = re.search(r'"#/\$defs/(\w+)"', json.dumps(where))
        fields = tables[reference[1]]["properties"] if reference else {}
        for name, field in fields.items():
            default = field.get("default")
            shown = "" if default is None else f" Default: {json.dumps(default)}."
            yield [".TP", f".B [{table}] {name}", roff(field.get("description", "") + shown)]


def completions(tree: Path) -> None:
    """Write what the shells complete, as ``haas-console completion`` prints it."""
    from haas_console.arguments import make_parser as console
    from haas_console.batch import shells
    from haas_rpcd.__main__ import make_parser as daemon

    for shell, (folder, name) in {
        "bash": ("bash-completion/completions", "{}"),
        "zsh": ("zsh/vendor-completions", "_{}"),
        "fish": ("fish/vendor_completions.d", "{}.fish"),
    }.items():
        for parser in (console(), daemon()):
            asks = parser.prog == "haas-console"
            text = (
                shells.asking_script(shell, parser.prog) if asks else shells.script(shell, parser)
            )
            write(tree / "usr/share" / folder / name.format(parser.prog), text + "\n")


def write(path: Path, text: str) -> None:
    """Write a file, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def pip(*arguments: str) -> None:
    """Run pip, which prints only what goes wrong."""
    command = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)
    subprocess.run(command, check=True)


def output(*command: str) -> str:
    """Return what a command prints, without the last line's end."""
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.rstrip("\n")


def depends(python: str) -> str:
    """Return the dependency on exactly this minor version of Python."""
    major, minor = python.split(".")
    return f"python3 (>= {python}~), python3 (<< {major}.{int(minor) + 1}~)"


if __name__ == "__main__":
    sys.path.insert(0, ".")
    if sys.argv[1] == "--depends":
        print(depends(sys.argv[2]))
    else:
        stage(Path(sys.argv[1]), sys.argv[2])
