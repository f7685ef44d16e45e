"""The commands and accelerate's configuration: as accelerate reads them, and complete."""

import itertools
import shlex

import pytest
import yaml

from flowreasoner_training.recipes import load_recipe
from flowreasoner_training.recipes.launch import accelerate_config, launch_commands

STAGES = ("distill", "sft", "grpo")


def commands(name, stages=STAGES):
    return [item.text for item in launch_commands(name, load_recipe(name), stages)]


@pytest.mark.parametrize(
    "name",
    [
        "flowreasoner-7b+zero3",
        "flowreasoner-7b+1gpu+offload",
        "flowreasoner-7b+fsdp2",
        "flowreasoner-7b+lora",
        "flowreasoner-14b+4nodes+zero3",
        "flowreasoner-14b+2nodes+fsdp2",
    ],
)
def test_accelerate_reads_the_configuration_and_knows_each_of_its_keys(name, tmp_path, monkeypatch):
    pytest.importorskip("accelerate")
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.commands.launch import launch_command_parser

    config = accelerate_config(load_recipe(name))
    path = tmp_path / "accelerate.yaml"
    path.write_text(yaml.safe_dump(config))
    read = load_config_from_file(str(path))  # refuses keys that it does not know
    hardware = load_recipe(name).hardware
    assert read.num_processes == hardware.gpus * hardware.nodes
    assert read.num_machines == hardware.nodes
    assert read.mixed_precision == "bf16"
    known = {action.dest for action in launch_command_parser()._actions}
    assert set(config.get("deepspeed_config", {})) <= known
    assert set(config.get("fsdp_config", {})) <= known


def test_one_process_needs_no_configuration():
    assert accelerate_config(load_recipe("miniature")) is None
    assert accelerate_config(load_recipe("flowreasoner-7b+lora+1gpu")) is None
    assert accelerate_config(load_recipe("flowreasoner-7b+1gpu+offload"))["num_processes"] == 1


def test_one_gpu_is_started_plainly():
    assert commands("flowreasoner-7b+lora+1gpu", ("sft", "grpo")) == [
        "flowreasoner sft flowreasoner-7b+lora+1gpu --data runs/flowreasoner-7b+lora+1gpu/distill/trajectories.jsonl "
        "--out runs/flowreasoner-7b+lora+1gpu/sft",
        "flowreasoner grpo flowreasoner-7b+lora+1gpu --model runs/flowreasoner-7b+lora+1gpu/sft/model "
        "--out runs/flowreasoner-7b+lora+1gpu/grpo",
    ]


def test_several_gpus_are_started_by_accelerate_and_the_teacher_is_not():
    written, distill, sft, grpo = commands("flowreasoner-7b")
    assert written == "flowreasoner recipes plan flowreasoner-7b --write runs/flowreasoner-7b"
    assert distill.startswith("flowreasoner distill ")
    start = "accelerate launch --config_file runs/flowreasoner-7b/accelerate.yaml -m flowreasoner_plugins"
    assert sft.startswith(f"{start} sft flowreasoner-7b --data ")
    assert grpo.startswith(f"{start} grpo flowreasoner-7b --model runs/flowreasoner-7b/sft/model ")


def test_several_nodes_find_their_head():
    made = launch_commands("r", load_recipe("flowreasoner-7b+4nodes"), ("sft",))
    assert "on each of 4 nodes" in made[-1].what
    assert "--machine_rank $RANK --main_process_ip $HEAD --main_process_port 29500 -m" in made[-1].text


def test_a_server_beside_the_training_has_other_gpus():
    _, server, grpo = commands("flowreasoner-7b+4gpu+vllm-server", ("grpo",))
    assert server.startswith("VLLM_SERVER_DEV_MODE=1 CUDA_VISIBLE_DEVICES=4,5,6,7 vllm serve runs/")
    assert grpo.startswith("CUDA_VISIBLE_DEVICES=0,1,2,3 accelerate launch ")
    words = shlex.split(server)
    options = dict(itertools.pairwise(words))
    assert options["--data-parallel-size"] == "4"
    assert options["--max-model-len"] == "32768"
    assert options["--weight-transfer-config"] == '{"backend": "nccl"}'
    assert "vllm serve" not in " ".join(commands("flowreasoner-7b+4gpu+vllm-server", ("sft",)))


def test_a_server_elsewhere(changed):
    recipe = changed("flowreasoner-7b+lora+2nodes+vllm-server", hardware={"server": "http://gpu9:8123"})
    server, grpo = (item.text for item in launch_commands("r", recipe, ("grpo",))[1:])
    assert "CUDA_VISIBLE_DEVICES" not in server + grpo
    assert "vllm serve runs/flowreasoner-7b+lora+2nodes+vllm-server/sft/model --port 8123" in server


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_server_gets_what_trls_own_command_gives_it():
    """`trl vllm-serve` is deprecated in favour of this command; its own is the reference."""
    script = pytest.importorskip("trl.scripts.vllm_serve")
    wanted = script.build_command(script.ScriptArguments(model="m"))
    imposed = set(wanted[wanted.index("--weight-transfer-config") :])
    assert imposed <= set(shlex.split(commands("flowreasoner-7b+4gpu+vllm-server", ("grpo",))[1]))


def test_miniature_is_one_command_on_a_cpu(changed):
    assert commands("miniature") == ["OMP_WAIT_POLICY=PASSIVE flowreasoner train miniature --out runs/miniature"]
    cpu = {"device": "cpu", "gpus": 0, "sharding": "none", "generation": "transformers"}
    model = {"name": "some/model", "dtype": "float32", "chat_template": "own"}
    recipe = changed("flowreasoner-7b", model=model, hardware=cpu, name="x")
    first, *_ = launch_commands("x.yaml", recipe, ("sft",))
    assert first.text.startswith("OMP_WAIT_POLICY=PASSIVE flowreasoner sft x.yaml --data runs/x/distill/")


def test_names_are_quoted_for_the_shell(changed):
    recipe = changed("flowreasoner-7b", name="my recipe; ls")
    for item in launch_commands("my recipe; ls.yaml", recipe, STAGES):
        assert "'my recipe; ls.yaml'" in item.text
