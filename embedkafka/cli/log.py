"""``embedkafka log``: look into the files themselves, without the engine and beside a live owner."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embedkafka.cli import text
from embedkafka.cli.dump import dump_file
from embedkafka.cli.exits import CliError, ExitCode, not_found
from embedkafka.cli.owner import is_settled
from embedkafka.cli.segments import PartitionFolder, partition_folders
from embedkafka.cli.session import DataOption, JsonOption, Session, command
from embedkafka.cli.verify import Finding, Verified, verify_partition

app = typer.Typer(help="Look into the log files; works beside a live owner.", no_args_is_help=True)

TargetsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TOPIC|TOPIC-PARTITION|FILE", help="What to look at; everything if left out.", show_default=False
    ),
]


@app.command("dump")
@command
def dump(
    targets: TargetsArgument = None,
    deep: Annotated[bool, typer.Option("--deep", help="Every record, not only the batches.")] = False,
    indexes: Annotated[bool, typer.Option("--indexes", help="The offset and time indexes too.")] = False,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print batches, with --deep also records, in the words of Kafka's DumpLogSegments."""
    session = Session(data, as_json)
    files: list[Path] = []
    names: list[str] = []
    for target in targets or []:
        path = Path(target)
        if path.is_file():
            files.append(path)
        elif path.suffix in (".log", ".index", ".timeindex"):
            raise CliError(f"no file {target}", "", ExitCode.NOT_FOUND)
        else:
            names.append(target)
    if names or not files:
        for folder in select(session.existing_data(), names):
            for segment in folder.segments():
                files.append(segment.path)
                if indexes:
                    files += [path for path in (segment.offset_index, segment.time_index) if path.is_file()]
    damaged = sum([dump_file(session.out, path, deep=deep) for path in files])
    if damaged:
        raise typer.Exit(ExitCode.FAILED)


@app.command("verify")
@command
def verify(targets: TargetsArgument = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Check checksums, offsets and indexes; say what is wrong where. Exit code 1 when anything is."""
    session = Session(data, as_json)
    directory = session.existing_data()
    folders = select(directory, targets or [])
    total = sum(segment.path.stat().st_size for folder in folders for segment in folder.segments())
    settled = is_settled(directory)
    result = Verified()
    with session.out.progress("verifying", total, unit="bytes") as advance:
        for folder in folders:
            verify_partition(folder, result, may_be_unfinished=not settled, advance=advance)
    _report(session, directory, folders, result)
    if result.findings:
        raise typer.Exit(ExitCode.FAILED)


def _report(session: Session, directory: Path, folders: list[PartitionFolder], result: Verified) -> None:
    def entry(finding: Finding) -> dict[str, object]:
        return {"file": str(finding.file), "position": finding.position, "problem": finding.problem}

    if session.out.as_json:
        session.out.json(
            {
                "data": str(directory),
                "partitions": len(folders),
                "segments": result.segments,
                "batches": result.batches,
                "records": result.records,
                "bytes": result.size_bytes,
                "problems": [entry(finding) for finding in result.findings],
                "unfinished": [entry(finding) for finding in result.unfinished],
            }
        )
        return
    for finding in result.findings:
        session.out.line(f"{_where(finding)}: {finding.problem}")
    for finding in result.unfinished:
        session.out.note(f"{_where(finding)}: {finding.problem} (being written, or left by a crash: opening cuts it)")
    looked_at = ", ".join(
        (
            text.counted(len(folders), "partition"),
            text.counted(result.segments, "segment"),
            text.counted(result.batches, "batch", "batches"),
            text.counted(result.records, "record"),
            text.size(result.size_bytes),
        )
    )
    verdict = text.counted(len(result.findings), "problem") if result.findings else "no problem"
    session.out.line(f"{verdict} in {looked_at}")


def _where(finding: Finding) -> str:
    return str(finding.file) if finding.position is None else f"{finding.file}: byte {finding.position}"


def select(data: Path, names: list[str]) -> list[PartitionFolder]:
    """The partitions that the names mean: ``lines-0`` is one, ``lines`` all of a topic; all there are for no names."""
    folders = partition_folders(data)
    if not names:
        return folders
    chosen: list[PartitionFolder] = []
    for name in names:
        found = [folder for folder in folders if folder.path.name == name]
        found = found or [folder for folder in folders if folder.topic_partition.topic == name]
        if not found:
            raise not_found("topic or partition with records", name, sorted({f.topic_partition.topic for f in folders}))
        chosen += found
    return chosen
