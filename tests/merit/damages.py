"""What can happen to a dump: functions that damage the one in a directory."""

import json

from made_dump import HEADER
from safetensors.torch import load_file, save_file


def flip_a_bit(directory):
    shard = directory / "states.00001.safetensors"
    content = bytearray(shard.read_bytes())
    content[-3] ^= 4
    shard.write_bytes(content)


def overwrite_values(directory):
    shard = directory / "states.00001.safetensors"
    content = shard.read_bytes()
    shard.write_bytes(content[:-60] + bytes(60))


def overwrite_the_beginning(directory):
    shard = directory / "states.00001.safetensors"
    shard.write_bytes(bytes(200) + shard.read_bytes()[200:])


def cut_short(directory):
    shard = directory / "states.00001.safetensors"
    shard.write_bytes(shard.read_bytes()[:-10])


def delete_shard(directory):
    (directory / "states.00001.safetensors").unlink()


def lengthen(directory, more):
    index = directory / "index.tsv"
    lines = [line.split("\t") for line in index.read_text().splitlines()]
    index.write_text("".join(f"{key}\t{shard}\t{int(frames) + more}\n" for key, shard, frames in lines))


def add_frames(directory):
    lengthen(directory, 500)


def take_frames(directory):
    lengthen(directory, -3)


def name_other_shards(directory):
    index = directory / "index.tsv"
    index.write_text(index.read_text().replace("\t1\t", "\t2\t"))


def name_a_shard_that_never_was(directory):
    index = directory / "index.tsv"
    index.write_text(index.read_text().replace("\t1\t", "\t77\t"))


def garble_index(directory):
    (directory / "index.tsv").write_text("u00\t0\t5\nno such line\n")


def garble_index_bytes(directory):
    (directory / "index.tsv").write_bytes(b"\xff\xfe\x00")


def repeat_a_line(directory):
    index = directory / "index.tsv"
    index.write_text(index.read_text() + index.read_text().splitlines()[-1] + "\n")


def shorten_index(directory):
    index = directory / "index.tsv"
    index.write_text("".join(index.read_text().splitlines(keepends=True)[:-1]))


def delete_index(directory):
    (directory / "index.tsv").unlink()


def garble_header(directory):
    (directory / "header.json").write_text("{")


def header_of_another_kind(directory):
    (directory / "header.json").write_text("[1, 2]\n")


def forget_checksums(directory):  # as a dump of an earlier version
    for shard in directory.glob("*.safetensors"):
        save_file(load_file(shard), shard, {"header": json.dumps(HEADER)})
