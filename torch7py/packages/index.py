"""The packages there are, a line each."""

from __future__ import annotations

from torch7py.packages import of_lua  # noqa: F401  (notes for the support page)
from torch7py.packages.registry import package

package("torch", "torch7py.ops.all")
package("nn", "torch7py.nn.all", requires=("torch",), chunk="pkg_nn.lua")
package("pytorch", "torch7py.nn.foreign", requires=("nn",), table=None)
package("nn.utils", "torch7py.packages.nn_utils", requires=("torch",), table=None, chunk="pkg_nn_utils.lua")
package("nn.THNN", "torch7py.packages.nn_thnn", requires=("torch",), table=None, chunk="pkg_nn_thnn.lua")
package("nn.tables", "torch7py.packages.nn_tables", requires=("torch",), table=None)
package("dpnn", "torch7py.rnn.dpnn.all", requires=("nn",), chunk="pkg_dpnn.lua")
package("nnx", "torch7py.packages.nnx.all", requires=("nn", "xlua"), chunk="pkg_nnx.lua")
package("stn", "torch7py.packages.stn.all", requires=("nn",), table=None, chunk="pkg_stn.lua")
package("torchx", "torch7py.packages.torchx", requires=("torch", "paths", "sys"), chunk="pkg_torchx.lua")
package("rnn", "torch7py.rnn.all", requires=("dpnn", "torchx"), chunk="pkg_rnn.lua")
package("graph", "torch7py.packages.graph.all", requires=("torch",), chunk="pkg_graph.lua")
package(
    "nngraph", "torch7py.packages.nngraph.all", requires=("nn", "graph", "paths"), chunk="pkg_nngraph.lua"
)
package("nngraph.nesting", requires=("torch",), table=None, chunk="pkg_nngraph_nesting.lua")
package("nninit", requires=("nn",), table=None, chunk="pkg_nninit.lua")
package("optnet", requires=("nn",), table=None, chunk="pkg_optnet.lua")
package("optnet.graphgen", requires=("optnet",), table=None, chunk="pkg_optnet_graphgen.lua")
package("optim", "torch7py.packages.optim.all", requires=("torch", "xlua"), chunk="pkg_optim.lua")
package("cutorch", "torch7py.packages.cutorch.all", requires=("torch",), chunk="pkg_cutorch.lua")
package("cunn", "torch7py.packages.cunn", requires=("cutorch", "nn"), table=None)
package("cunnx", requires=("cunn",), table=None)
package("tbc", "torch7py.packages.tbc", requires=("nn",), table=None)
package("fbnn", "torch7py.packages.fbnn.all", requires=("nn", "tbc"), chunk="pkg_fbnn.lua")
package(
    "fbcunn",
    "torch7py.packages.fbnn.all_cuda",
    requires=("fbnn", "cunn"),
    table=None,
    chunk="pkg_fbcunn.lua",
)
package("inn", "torch7py.packages.inn.all", requires=("nn",), chunk="pkg_inn.lua")
package("inn.utils", requires=("inn",), table=None, chunk="pkg_inn_utils.lua")
package("unsup", "torch7py.packages.unsup", requires=("nn", "optim", "xlua"), chunk="pkg_unsup.lua")
package("ccn2", "torch7py.packages.ccn2", requires=("cutorch", "nn"), chunk="pkg_ccn2.lua")
package("mattorch", requires=("torch", "xlua", "matio"), chunk="pkg_mattorch.lua")
package("fb.debugger", table=None, chunk="pkg_fb_debugger.lua")
package("fb.ffivector", requires=("torch",), table=None, chunk="pkg_fb_ffivector.lua")
package("nccl", requires=("cutorch",), chunk="pkg_nccl.lua")
package("cudnn", "torch7py.packages.cudnn.all", requires=("cutorch", "nn"), chunk="pkg_cudnn.lua")
package("paths", "torch7py.packages.paths", chunk="pkg_paths.lua")
package("sys", "torch7py.packages.sys", requires=("paths",), chunk="pkg_sys.lua")
package("sys.colors", requires=("sys",), table=None, chunk="pkg_sys_colors.lua")
package("sys.fpath", requires=("sys",), table=None, chunk="pkg_sys_fpath.lua")
package("xlua", "torch7py.packages.xlua", requires=("torch", "sys"), chunk="pkg_xlua.lua")
package("csvigo", requires=("torch", "xlua"), chunk="pkg_csvigo.lua")
package("image", "torch7py.packages.image.all", requires=("torch", "xlua", "dok"), chunk="pkg_image.lua")
package("loadcaffe", "torch7py.packages.loadcaffe", requires=("nn",), chunk="pkg_loadcaffe.lua")
package("cephes", "torch7py.packages.cephes", requires=("torch",), chunk="pkg_cephes.lua")
package("randomkit", "torch7py.packages.randomkit", requires=("torch",), chunk="pkg_randomkit.lua")
package("gnuplot", "torch7py.packages.gnuplot.commands", requires=("torch", "paths"), chunk="pkg_gnuplot.lua")
package("hdf5", "torch7py.packages.hdf5", requires=("torch", "paths"), chunk="pkg_hdf5.lua")
package("dok", requires=("xlua",), chunk="pkg_dok.lua")
package("env", requires=("torch", "dok", "paths"), table=None, chunk="pkg_env.lua")
package("lfs", "torch7py.packages.lfs", chunk="pkg_lfs.lua")
package("cjson", table=None, chunk="pkg_cjson.lua")
package("cjson.safe", requires=("cjson",), table=None, chunk="pkg_cjson_safe.lua")
package("class", table=None, chunk="pkg_class.lua")
package("classic", requires=("torch",), chunk="pkg_classic.lua")
package("classic.torch", requires=("classic",), table=None, chunk="pkg_classic_torch.lua")
package("cjson.util", table=None, chunk="pkg_cjson_util.lua")
package("lua-utf8", table=None, chunk="pkg_utf8.lua")
package("socket", requires=("sys",), chunk="pkg_socket.lua")
package("mnist", "torch7py.packages.mnist", requires=("torch",), table=None, chunk="pkg_mnist.lua")
package("pprint", requires=("torch",), table=None, chunk="pkg_pprint.lua")
package("rex_pcre", "torch7py.packages.rex_pcre", chunk="pkg_rex_pcre.lua")
package("matio", "torch7py.packages.matio", requires=("torch",), table=None, chunk="pkg_matio.lua")
package("npy4th", "torch7py.packages.npy4th", requires=("torch",), table=None)
package("display", requires=("torch",), table=None, chunk="pkg_display.lua")
package("iterm", requires=("torch",), table=None, chunk="pkg_iterm.lua")
package("iterm.dot", requires=("iterm", "graph"), table=None, chunk="pkg_iterm_dot.lua")
package("visdom", requires=("torch",), table=None, chunk="pkg_visdom.lua")
package("tds", requires=("torch",), table=None, chunk="pkg_tds.lua")
package("vector", requires=("torch", "tds"), table=None, chunk="pkg_vector.lua")
package("threads", "torch7py.packages.threads", requires=("torch",), table=None, chunk="pkg_threads.lua")
package("threads.threads", requires=("threads",), table=None, chunk="pkg_threads_threads.lua")
package("threads.queue", requires=("threads",), table=None, chunk="pkg_threads_queue.lua")
package("threads.safe", requires=("threads",), table=None, chunk="pkg_threads_safe.lua")
package("threads.serialize", requires=("torch",), table=None, chunk="pkg_threads_serialize.lua")
package(
    "threads.sharedserialize", requires=("torch", "tds"), table=None, chunk="pkg_threads_sharedserialize.lua"
)
package("threads.worker", requires=("threads",), table=None, chunk="pkg_threads_worker.lua")
package(
    "argcheck",
    requires=("torch", "argcheck.env", "argcheck.doc", "argcheck._call"),
    table=None,
    chunk="pkg_argcheck.lua",
)
package("argcheck._call", requires=("torch", "argcheck.env"), table=None, chunk="pkg_argcheck_call.lua")
package("argcheck.env", requires=("torch",), table=None, chunk="pkg_argcheck_env.lua")
package("argcheck.doc", table=None, chunk="pkg_argcheck_doc.lua")
package("bit32", table=None, chunk="pkg_bit32.lua")
package("fbtorch", requires=("torch", "paths", "sys"), table=None, chunk="pkg_fbtorch.lua")
package("md5", "torch7py.packages.md5", table=None)
package("snappy", "torch7py.packages.snappy", table=None)
package(
    "graphicsmagick",
    "torch7py.packages.graphicsmagick.all",
    requires=("torch",),
    table=None,
    chunk="pkg_graphicsmagick.lua",
)
package(
    "graphicsmagick.Image",
    requires=("graphicsmagick",),
    table=None,
    chunk="pkg_graphicsmagick_image.lua",
)
package(
    "graphicsmagick.convert",
    requires=("graphicsmagick",),
    table=None,
    chunk="pkg_graphicsmagick_convert.lua",
)
package(
    "graphicsmagick.info",
    requires=("graphicsmagick",),
    table=None,
    chunk="pkg_graphicsmagick_info.lua",
)
package(
    "graphicsmagick.exif",
    requires=("graphicsmagick",),
    table=None,
    chunk="pkg_graphicsmagick_exif.lua",
)
package(
    "dataload",
    "torch7py.packages.dataload",
    requires=("torch", "paths", "xlua", "torchx", "sys", "image", "lfs", "moses"),
    table=None,
    chunk="pkg_dataload.lua",
)
package("dataload._env", requires=("dataload",), table=None, chunk="pkg_dataload_env.lua")
package("moses", table=None, chunk="pkg_moses.lua")
package("pl", chunk="pkg_pl.lua")
package("pl.app", table=None, chunk="pkg_pl_app.lua")
package("pl.array2d", table=None, chunk="pkg_pl_array2d.lua")
package("pl.class", table=None, chunk="pkg_pl_class.lua")
package("pl.compat", table=None, chunk="pkg_pl_compat.lua")
package("pl.comprehension", table=None, chunk="pkg_pl_comprehension.lua")
package("pl.config", table=None, chunk="pkg_pl_config.lua")
package("pl.data", table=None, chunk="pkg_pl_data.lua")
package("pl.Date", table=None, chunk="pkg_pl_date.lua")
package("pl.dir", requires=("paths",), table=None, chunk="pkg_pl_dir.lua")
package("pl.file", table=None, chunk="pkg_pl_file.lua")
package("pl.func", table=None, chunk="pkg_pl_func.lua")
package("pl.import_into", table=None, chunk="pkg_pl_import_into.lua")
package("pl.input", table=None, chunk="pkg_pl_input.lua")
package("pl.lapp", table=None, chunk="pkg_pl_lapp.lua")
package("pl.lexer", table=None, chunk="pkg_pl_lexer.lua")
package("pl.List", table=None, chunk="pkg_pl_list.lua")
package("pl.luabalanced", table=None, chunk="pkg_pl_luabalanced.lua")
package("pl.Map", table=None, chunk="pkg_pl_map.lua")
package("pl.MultiMap", table=None, chunk="pkg_pl_multi_map.lua")
package("pl.operator", table=None, chunk="pkg_pl_operator.lua")
package("pl.OrderedMap", table=None, chunk="pkg_pl_ordered_map.lua")
package("pl.path", table=None, chunk="pkg_pl_path.lua")
package("pl.permute", table=None, chunk="pkg_pl_permute.lua")
package("pl.pretty", table=None, chunk="pkg_pl_pretty.lua")
package("pl.seq", table=None, chunk="pkg_pl_seq.lua")
package("pl.Set", table=None, chunk="pkg_pl_set.lua")
package("pl.sip", table=None, chunk="pkg_pl_sip.lua")
package("pl.strict", table=None, chunk="pkg_pl_strict.lua")
package("pl.stringio", table=None, chunk="pkg_pl_stringio.lua")
package("pl.stringx", table=None, chunk="pkg_pl_stringx.lua")
package("pl.tablex", table=None, chunk="pkg_pl_tablex.lua")
package("pl.template", table=None, chunk="pkg_pl_template.lua")
package("pl.test", table=None, chunk="pkg_pl_test.lua")
package("pl.text", table=None, chunk="pkg_pl_text.lua")
package("pl.types", table=None, chunk="pkg_pl_types.lua")
package("pl.url", table=None, chunk="pkg_pl_url.lua")
package("pl.utils", table=None, chunk="pkg_pl_utils.lua")
package("pl.xml", table=None, chunk="pkg_pl_xml.lua")
package("trepl", table=None)
package("trepl.colors", requires=("sys",), table=None, chunk="pkg_trepl_colors.lua")
package("trepl.colorize", table=None, chunk="pkg_trepl_colorize.lua")
