"""Every error of the command line has the text and the exit status of its golden file."""

from pathlib import Path

import pytest

from lxc.errors import CODES, EXIT_STATUS
from tests.conftest import Golden
from tests.errors.conftest import Failure

FOLDER = Path(__file__).parent / "golden"
NET = "compile models.py:net --input x=f32[N,3] --dim N=1..8 --target x86-64-v2"
HERE = "compile models.py:net -o a.lxc --input"
RUN = "run net.lxc --input"

COMMANDS = {
    "usage-unknown-command": "compil",
    "usage-unknown-option": f"{NET} --colour red",
    "usage-missing-source": "compile -o a.lxc",
    "usage-wrong-choice": f"{NET} -o a.lxc --mode best",
    "compile-no-output": NET,
    "compile-no-input": "compile models.py:net -o a.lxc",
    "compile-unknown-input": f"{HERE} x=f32[2,3] --input z=f32[1]",
    "compile-bad-input": f"{HERE} f32[2,3]",
    "compile-bad-type": f"{HERE} x=float[2,3]",
    "compile-unknown-dimension": f"{HERE} x=f32[N,3]",
    "compile-type-with-rest": f"{HERE} x=f32[2,3]]",
    "compile-unused-dimension": f"{NET} -o a.lxc --dim M=1..2",
    "compile-bad-range": f"{HERE} x=f32[N,3] --dim N=1-8",
    "compile-empty-range": f"{HERE} x=f32[N,3] --dim N=8..1",
    "compile-input-twice": f"{NET} -o a.lxc --input x=f32[1,3]",
    "compile-input-in-parts": f"{HERE} x=f32[3] --input x.0=f32[3]",
    "compile-input-not-from-zero": f"{HERE} x.1=f32[3]",
    "compile-wrong-shape": f"{HERE} x=f32[2,5]",
    "compile-unknown-target": f"{NET} -o a.lxc --target pdp-11",
    "compile-target-like-another": f"{NET} -o a.lxc --target aarch64-linx",
    "compile-foreign-file": f"{NET} -o note.txt",
    "compile-output-folder-missing": f"{NET} -o none/a.lxc",
    "compile-too-much-memory": f"{NET} -o a.lxc --max-memory 100B",
    "bundle-too-much-memory": f"{NET} --emit c-bundle -o out --max-memory 0.2K",
    "compile-no-size": f"{NET} -o a.lxc --max-memory 1TB",
    "compile-note-without-text": f"{NET} -o a.lxc --note license",
    "compile-note-with-odd-name": f"{NET} -o a.lxc --note {'a' * 65}=x",
    "compile-stage-twice": f"{NET} --emit asm --check-reproducible",
    "compile-other-each-time": "compile drawn.py:model -o a.lxc --input x=f32[1,3] "
    "--target x86-64-v2 --check-reproducible",
    "compile-note-in-a-stage": f"{NET} --emit asm --note license=MIT",
    "compile-emit-several": f"{NET},x86-64-v3 --emit asm",
    "compile-emit-object-unaimed": "compile models.py:make --input x=f32[3] --emit obj",
    "compile-emit-foreign-stage": f"{NET} --emit ptx",
    "compile-emit-several-cards": "compile models.py:make --input x=f32[3] "
    "--target cuda --emit cubin",
    "compile-emit-image-to-screen": "compile models.py:make --input x=f32[3] "
    "--target cuda-sm90 --emit cubin",
    "bundle-no-folder": f"{NET} --emit c-bundle",
    "bundle-several": f"{NET},x86-64-v3 --emit c-bundle -o out",
    "bundle-card": "compile models.py:make --input x=f32[1,3] --target cuda "
    "--emit c-bundle -o out",
    "bundle-in-a-file": f"{NET} --emit c-bundle -o note.txt",
    "bundle-hides-a-header": f"{NET} --emit c-bundle -o string",
    "bundle-hides-a-function": f"{NET} --emit c-bundle -o out --name sem",
    "bundle-foreign-folder": f"{NET} --emit c-bundle -o taken",
    "bundle-folder-missing": f"{NET} --emit c-bundle -o none/out",
    "bundle-params-alone": f"{NET} -o a.lxc --bundle-params embed",
    "bundle-without-values": "compile weighed.lxir --target x86-64-v2 "
    "--emit c-bundle -o out",
    "bundle-of-open-params": "compile open.lxir --target x86-64-v2 --emit c-bundle -o out",
    "compile-tune-card": "compile models.py:make -o a.lxc --input x=f32[1,3] "
    "--target cuda --tune r.json",
    "compile-absurd-size": f"{HERE} x=f32[9999999999,9999999999]",
    "compile-emit-object-to-screen": f"{NET} --emit obj",
    "compile-params-missing": f"{NET} -o a.lxc --params none.safetensors",
    "compile-params-renamed": f"{NET} -o a.lxc --params renamed.safetensors",
    "compile-params-misshapen": f"{NET} -o a.lxc --params misshapen.safetensors",
    "compile-params-extra": f"{NET} -o a.lxc --params extra.safetensors",
    "compile-params-damaged": f"{NET} -o a.lxc --params damaged.safetensors",
    "compile-unknown-precision": f"{NET} -o a.lxc --precision fp8",
    "compile-precision-of-no-layer": f"{NET} -o a.lxc --precision layer_11=int8",
    "compile-records-missing": f"{NET} -o a.lxc --records none.json",
    "compile-records-damaged": f"{NET} -o a.lxc --records note.txt",
    "compile-records-newer": f"{NET} -o a.lxc --records newer.json",
    "compile-records-hostile": f"{NET} -o a.lxc --tune hostile.json",
    "compile-cache-and-none": f"{NET} -o a.lxc --cache kept --no-cache",
    "cache-action": "cache empty",
    "cache-info-with-limit": "cache info --most-bytes 5",
    "why-unknown-code": "why E0407b",
    "upgrade-no-output": "upgrade net.lxc",
    "upgrade-foreign-file": "upgrade note.txt -o a.lxc",
    "upgrade-unknown-target": "upgrade net.lxc -o a.lxc --target pdp-11",
    "upgrade-onto-foreign-file": "upgrade net.lxc -o note.txt",
    "compile-tune-and-records": f"{NET} -o a.lxc --tune r.json --records r.json",
    "compile-tune-seconds-alone": f"{NET} -o a.lxc --tune-seconds 5",
    "compile-tune-no-seconds": f"{NET} -o a.lxc --tune r.json --tune-seconds 0",
    "compile-tune-elsewhere": "compile models.py:make -o a.lxc --input x=f32[1,3] "
    "--target aarch64-linux --tune r.json",
    "explain-records-missing": "explain models.py:make --input x=f32[1,3] "
    "--records none.json",
    "source-without-name": "compile models.py -o a.lxc",
    "source-no-file": "compile none.py:net -o a.lxc",
    "source-no-module": "compile no.such.module:net -o a.lxc",
    "source-unknown-name": "compile models.py:nett -o a.lxc",
    "source-number": "compile models.py:number -o a.lxc",
    "source-needs-arguments": "compile models.py:needs -o a.lxc",
    "source-fails": "compile fails.py:model -o a.lxc",
    "source-function-fails": "compile models.py:broken -o a.lxc",
    "source-library-fails": "compile models.py:misused -o a.lxc",
    "source-syntax": "compile wrong.py:model -o a.lxc",
    "source-imports": "compile imports.py:model -o a.lxc",
    "source-branches": "compile models.py:branching -o a.lxc --input x=f32[2]",
    "source-call-fails": "compile models.py:failing -o a.lxc --input x=f32[2]",
    "source-data": "compile data.lxir -o a.lxc",
    "source-text-with-input": "compile good.lxir -o a.lxc --input x=f32[2]",
    "run-no-artifact": "run none.lxc --input x=zeros",
    "run-foreign-file": "run note.txt --input x=zeros",
    "run-short-artifact": "run short.lxc --input x=zeros",
    "run-altered-artifact": "run altered.lxc --input x=zeros",
    "run-no-input": "run net.lxc",
    "run-unknown-input": f"{RUN} z=zeros",
    "run-bad-value": f"{RUN} x=ones",
    "run-no-file": f"{RUN} x=@none.npy",
    "run-empty-file": f"{RUN} x=@empty.npy",
    "run-no-key": f"{RUN} x=@two.npz:c",
    "run-several-arrays": f"{RUN} x=@two.npz",
    "run-raw-other-length": f"{RUN} x=@seven.raw",
    "run-raw-without-shape": "run square.lxc --input x=@seven.raw",
    "run-two-from-standard-input": "run more-inputs.lxc --input x=@- --input z=@-",
    "run-outputs-into-a-file": f"{RUN} x=zeros --save-outputs note.txt",
    "run-wrong-shape": f"{RUN} x=@wide.npy",
    "run-wrong-type": f"{RUN} x=@double.npy",
    "run-out-of-range": f"{RUN} x=@long.npy",
    "run-unknown-dimension": f"{RUN} x=zeros --dim M=2",
    "run-unknown-output": f"{RUN} x=zeros --output z=@z.npy",
    "run-bad-output": f"{RUN} x=zeros --output y=y.npy",
    "run-output-folder-missing": f"{RUN} x=zeros --output y=@none/y.npy",
    "run-unknown-target": f"{RUN} x=zeros --target x86-64-v4",
    "run-params-renamed": f"{RUN} x=zeros --params renamed.safetensors",
    "run-params-misshapen": f"{RUN} x=zeros --params misshapen.safetensors",
    "inspect-foreign-file": "inspect note.txt",
    "inspect-altered-artifact": "inspect altered.lxc",
    "opt-no-file": "opt --passes fuse",
    "opt-missing-file": "opt none.lxir --passes fuse",
    "opt-bad-text": "opt bad.lxir --passes fuse",
    "opt-too-deep": "opt deep.lxir --passes fuse",
    "opt-control-character": "opt escape.lxir --passes fuse",
    "opt-absurd-size": "opt absurd.lxir --passes fuse",
    "opt-no-passes": "opt good.lxir",
    "opt-unknown-pass": "opt good.lxir --passes fuze",
    "opt-wrong-level": "opt good.lxir --passes plan-memory",
    "explain-unknown-target": "explain net.lxc --target x86-64-v4",
    "explain-precision-of-no-layer": "explain models.py:layer --input x=f32[2,3] "
    "--precision int8 --precision head.*=float32",
    "bench-foreign-file": "bench note.txt",
    "bench-altered-artifact": "bench altered.lxc",
    "bench-unknown-input": "bench net.lxc --input z=zeros",
    "bench-unknown-target": "bench net.lxc --target x86-64-v4",
    "bench-out-of-range": "bench net.lxc --dim N=9",
    "bench-params-misshapen": "bench net.lxc --params misshapen.safetensors",
    "bench-too-few-rounds": "bench net.lxc --rounds 5",
    "bench-nothing-to-compare": "bench net.lxc --fail-above 1.05",
    "bench-no-onnx": "bench net.lxc --vs onnxruntime",
    "bench-not-installed": "bench net.lxc --vs onnxruntime --onnx net.onnx",
    "bench-compare-no-artifact": "bench net.lxc --compare none.lxc",
    "bench-compare-more-inputs": "bench net.lxc --compare more-inputs.lxc",
    "bench-compare-other-lengths": "bench net.lxc --compare other-lengths.lxc",
    "bench-compare-other-outputs": "bench net.lxc --compare other-outputs.lxc",
    "graph-no-output": "graph net.lxc",
    "graph-unknown-form": "graph net.lxc -o net.png",
    "graph-unknown-target": "graph net.lxc -o net.svg --target x86-64-v4",
    "graph-foreign-file": "graph note.txt -o net.svg",
    "graph-no-profile": "graph net.lxc -o net.svg --profile note.txt",
    "graph-other-profile": "graph net.lxc -o net.svg --profile profile.json",
    "graph-text-with-profile": "graph halves.lxir -o net.svg --profile profile.json",
    "graph-folder-missing": "graph net.lxc -o none/net.svg",
    "memory-foreign-file": "memory note.txt",
    "memory-unknown-target": "memory net.lxc --target x86-64-v4",
    "memory-unknown-form": "memory net.lxc -o arena.png",
    "memory-without-ir": "memory bare.lxc",
    "diff-missing-argument": "diff net.lxc",
    "diff-no-artifact": "diff net.lxc none.lxc",
    "diff-foreign-file": "diff note.txt net.lxc",
    "diff-altered-artifact": "diff net.lxc altered.lxc",
    "diff-ir-is-no-text": "diff net.lxc no-text.lxc",
    "profile-foreign-file": "profile note.txt",
    "profile-unknown-input": "profile net.lxc --input z=zeros",
    "profile-unknown-target": "profile net.lxc --target x86-64-v4",
    "profile-for-cards": "profile cards.lxc",
    "profile-without-ir": "profile bare.lxc",
    "profile-odd-options": "profile odd.lxc",
    "profile-odd-records": "profile odd-records.lxc",
    "profile-tuned": "profile tuned.lxc",
    "profile-other-records": "profile tuned.lxc --records other.json",
    "profile-not-tuned": "profile net.lxc --records used.json",
    "profile-trace-folder-missing": "profile net.lxc --chrome none/trace.json",
    "params-no-file": "params none.safetensors",
    "params-pickle": "params weights.pt",
    "params-hdf5": "params weights.h5",
    "params-msgpack": "params weights.msgpack",
    "params-foreign-file": "params note.txt",
    "params-damaged": "params damaged.safetensors",
    "params-damaged-archive": "params damaged.npz",
    "params-altered-artifact": "params short.lxc",
    "params-style-alone": "params extra.safetensors --from torch",
    "params-unknown-style": "params extra.safetensors --from caffe --like net.lxc",
    "params-unknown-model": "params extra.safetensors --like net",
    "params-renamed": "params renamed.safetensors --like models.py:net",
    "params-leaf-without-place": "params renamed.safetensors --from torch "
    "--like models.py:net",
    "params-misshapen": "params misshapen.safetensors --from torch --like models.py:net",
    "params-bias-without-place": "params bias.npz --from torch --like others.py:unbiased",
    "params-of-another-kind": "params bias.npz --from flax --like others.py:unbiased",
    "params-biases-of-attention": "params attention.npz --from torch "
    "--like others.py:attention",
    "params-map-missing": "params extra.safetensors --map none.json",
    "params-map-damaged": "params extra.safetensors --map note.txt",
    "params-map-of-lists": "params extra.safetensors --map lists.json",
    "params-map-of-no-name": "params extra.safetensors --map unknown.json",
    "params-map-of-one-name": "params extra.safetensors --map same.json",
    "params-too-large-for-half": "params large.npz --cast f16",
    "params-output-of-another-kind": "params extra.safetensors --to out.bin",
    "params-output-folder-missing": "params extra.safetensors --to none/o.safetensors",
    "verify-foreign-file": "verify note.txt",
    "verify-altered-artifact": "verify altered.lxc",
    "verify-unknown-input": "verify net.lxc --input z=zeros",
    "verify-not-tuned": "verify net.lxc --trace --records used.json",
    "verify-params-misshapen": "verify net.lxc --params misshapen.safetensors",
}


PREFIXES = {name.partition("-")[0] for name in COMMANDS}


@pytest.mark.parametrize("name", COMMANDS)
def test_an_error_has_its_golden_text(name: str, failure: Failure, golden: Golden) -> None:
    status, printed = failure(COMMANDS[name])
    first = printed.partition("]")[0]
    assert first.startswith("error[LXC-E")
    code = first.removeprefix("error[")
    assert code in CODES
    assert status == EXIT_STATUS[code[5:7]]
    text = f"$ lxc {COMMANDS[name]}\n{printed}exit status {status}\n"
    golden.compare(FOLDER / f"{name}.txt", text)


def test_no_golden_file_is_left_over() -> None:
    named = {path.stem for path in FOLDER.glob("*.txt")}
    ours = {name for name in named if name.partition("-")[0] in PREFIXES}
    assert ours == set(COMMANDS)
