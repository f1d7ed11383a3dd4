from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from newsletter.db import Database, moment
from newsletter.mail.transport import CONNECTIONS
from newsletter.models import Batch, MailingStatus
from newsletter.models.schema import upgrade
from newsletter.sending.plan import BATCH_SIZE
from newsletter.sending.sweep import LEASE
from tests.chaos.conftest import Form
from tests.chaos.scene import Scene
from tests.servers.chaos_sink import ChaosSink
from tests.servers.network import Machine, Network, needs_namespaces
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import ValkeyServer
from tests.servers.worker import PROCESSES, Worker

pytestmark = [pytest.mark.timeout(400), needs_namespaces]

CUT_SECONDS = 5.0


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(machines=2) as made:
        yield made


@pytest.fixture
def database_url(network: Network) -> Iterator[str]:
    with PostgresServer(host=network.hub_address) as server:
        url = server.create_database()
        database = Database(url)
        upgrade(database)
        database.close()
        yield url


@pytest.fixture
def valkey(network: Network) -> Iterator[ValkeyServer]:
    with ValkeyServer(network.hub_address) as server:
        yield server


@pytest.fixture
def sink(network: Network, form: Form) -> Iterator[ChaosSink]:
    with ChaosSink(network.hub_address) as running:
        running.behave(delay=form.delay)
        yield running


def worker_on(scene: Scene, machine: Machine, folder: Path, *, beat: bool) -> Worker:
    """A worker on a machine, which shares neither disk nor journals with others."""
    data_dir = {"NEWSLETTER_DATA_DIR": str(folder / machine.name)}
    return scene.worker(data_dir, beat=beat, within=("ip", "netns", "exec", machine.name))


def let_leases_run_out(scene: Scene) -> None:
    """When a batch was taken is a column, so moving it is as good as waiting."""
    with scene.database.write() as session:
        session.execute(update(Batch).values(taken_at=moment(session) - 2 * LEASE))


def test_a_machine_that_is_cut_off_for_good_leaves_in_doubt_what_it_had_and_another_sends_the_rest(
    scene: Scene, network: Network, tmp_path: Path
) -> None:
    staying, leaving = network.machine(1), network.machine(2)
    with worker_on(scene, staying, tmp_path, beat=True), worker_on(scene, leaving, tmp_path, beat=False):
        scene.wait_for_more(100)
        leaving.cut()
        time.sleep(CUT_SECONDS)
        let_leases_run_out(scene)
        scene.finish()
    scene.prove(doubts=PROCESSES * BATCH_SIZE)


def test_a_machine_that_comes_back_after_its_lease_sends_to_nobody_whom_another_has_sent_to(
    scene: Scene, network: Network, tmp_path: Path
) -> None:
    staying, leaving = network.machine(1), network.machine(2)
    with worker_on(scene, staying, tmp_path, beat=True), worker_on(scene, leaving, tmp_path, beat=False):
        scene.wait_for_more(100)
        leaving.cut()
        time.sleep(CUT_SECONDS)
        let_leases_run_out(scene)
        scene.wait_for(MailingStatus.SENT)
        leaving.mend()
        time.sleep(CUT_SECONDS)
        scene.finish()
    scene.prove(doubts=PROCESSES * BATCH_SIZE)


def test_a_machine_that_comes_back_settles_what_it_had_by_itself(
    scene: Scene, network: Network, tmp_path: Path
) -> None:
    staying, leaving = network.machine(1), network.machine(2)
    with worker_on(scene, staying, tmp_path, beat=True), worker_on(scene, leaving, tmp_path, beat=False):
        scene.wait_for_more(100)
        leaving.cut()
        time.sleep(CUT_SECONDS)
        leaving.mend()
        scene.finish()
    scene.prove(doubts=PROCESSES * CONNECTIONS)
