"""The wheel, alone in an empty virtual environment and far from the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from newsletter import __version__
from newsletter.resources import SAMPLE_ISSUE
from newsletter.settings_sources import PREFIX

PROJECT = Path(__file__).resolve().parents[2]

# Installing what newsletter needs takes half a minute on a slow network.
pytestmark = pytest.mark.timeout(300)


def run(command: Sequence[str | Path], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that knows nothing of this checkout, its settings or its virtual environment."""
    hidden = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {k: v for k, v in os.environ.items() if k not in hidden and not k.startswith(PREFIX)}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        folder,
        PROJECT,
    ]
    run(command, cwd=folder)
    built = list(folder.glob("*.whl"))
    assert len(built) == 1
    return built[0]


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a virtual environment that holds the wheel and its locked dependencies alone."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "venv", with_pip=True)
    programs = folder / "venv" / "bin"
    install: list[str | Path] = [
        programs / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    run([*install, "--require-hashes", "-r", PROJECT / "requirements" / "runtime.txt"], cwd=folder)
    run([*install, "--no-deps", "--no-index", wheel], cwd=folder)
    return programs


def test_it_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    roots = {name.split("/")[0] for name in names}
    assert roots == {"newsletter", "workers", f"newsletter-{__version__}.dist-info"}
    for needed in (
        "newsletter/templates/email/magazine/issue.mjml",
        "newsletter/templates/email/magazine/theme.toml",
        "newsletter/templates/web/unsubscribe.html",
        "newsletter/templates/web/static/web.css",
        "newsletter/templates/words/fr.toml",
        "newsletter/models/migrations/env.py",
        "newsletter/models/migrations/script.py.mako",
        "newsletter/models/migrations/versions/0001_first_tables.py",
        "newsletter/sample/numero-56.md",
        "newsletter/sample/images/baikonour.png",
        "workers/celery.py",
    ):
        assert needed in names
    assert not [name for name in names if "test" in name.lower() or name.endswith((".pyc", ".db", ".env"))]


def test_every_file_of_the_templates_is_in_it(wheel: Path) -> None:
    templates = PROJECT / "templates"
    files = {f"newsletter/templates/{path.relative_to(templates)}" for path in templates.rglob("*") if path.is_file()}
    assert files <= set(zipfile.ZipFile(wheel).namelist())


def test_it_says_its_version(programs: Path, tmp_path: Path) -> None:
    assert run([programs / "newsletter", "--version"], cwd=tmp_path).stdout == f"newsletter {__version__}\n"


def test_it_renders_an_issue_in_a_folder_of_its_own(programs: Path, tmp_path: Path) -> None:
    issue = tmp_path / SAMPLE_ISSUE.name
    shutil.copy(SAMPLE_ISSUE, issue)
    shutil.copytree(SAMPLE_ISSUE.parent / "images", tmp_path / "images")
    outputs = ("-o", "issue.html", "--text", "issue.txt", "--eml", "issue.eml")
    run([programs / "newsletter", "render", issue.name, *outputs], cwd=tmp_path)
    html = (tmp_path / "issue.html").read_text(encoding="utf-8")
    assert "<!doctype html>" in html.lower()
    assert 'src="data:image/png;base64,' in html
    assert "Baïkonour" in (tmp_path / "issue.txt").read_text(encoding="utf-8")
    message = (tmp_path / "issue.eml").read_bytes()
    assert b"\r\nList-Unsubscribe: " in message
    assert b"multipart/alternative" in message


def test_it_makes_and_upgrades_the_database(programs: Path, tmp_path: Path) -> None:
    first = run([programs / "newsletter", "db", "upgrade"], cwd=tmp_path).stdout
    assert "from nothing to " in first
    assert (tmp_path / "newsletter-data" / "newsletter.db").is_file()
    assert "is up to date" in run([programs / "newsletter", "db", "upgrade"], cwd=tmp_path).stdout


def test_its_celery_application_is_found(programs: Path, tmp_path: Path) -> None:
    tell = "import workers.celery, newsletter; print(workers.celery.app.main, newsletter.__file__)"
    name, place = run([programs / "python", "-c", tell], cwd=tmp_path).stdout.split()
    assert name == "newsletter"
    assert Path(place).is_relative_to(programs.parent)
    assert "broker_url:" in run([programs / "celery", "--app=workers", "report"], cwd=tmp_path).stdout


def test_its_web_application_finds_its_templates(programs: Path, tmp_path: Path) -> None:
    tell = (
        "from newsletter.resources import SAMPLE_ISSUE, TEMPLATES\n"
        "from newsletter.web.serve import serve\n"
        "print(TEMPLATES, SAMPLE_ISSUE.is_file(), sep='\\n')"
    )
    templates, sample = run([programs / "python", "-c", tell], cwd=tmp_path).stdout.splitlines()
    assert Path(templates).is_relative_to(programs.parent)
    assert sample == "True"
