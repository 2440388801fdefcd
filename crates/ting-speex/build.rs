//! Compiles the decoder of libspeex (see libspeex/README.md) into a static library.

/// What decoding narrowband, wideband and ultra-wideband needs, and no more.
const SOURCES: &[&str] = &[
    "bits",
    "cb_search",
    "exc_10_16_table",
    "exc_10_32_table",
    "exc_20_32_table",
    "exc_5_256_table",
    "exc_5_64_table",
    "exc_8_128_table",
    "filters",
    "gain_table",
    "gain_table_lbr",
    "hexc_10_32_table",
    "hexc_table",
    "high_lsp_tables",
    "lsp",
    "lsp_tables_nb",
    "ltp",
    "modes",
    "modes_wb",
    "nb_celp",
    "quant_lsp",
    "sb_celp",
    "speex",
    "speex_callbacks",
];

fn main() {
    let mut build = cc::Build::new();
    build
        .include("libspeex/include")
        // `speex_config_types.h` and `os_support_custom.h`, which libspeex leaves to its user.
        .include("glue")
        .define("FLOATING_POINT", None)
        .define("DISABLE_ENCODER", None)
        .define("DISABLE_VBR", None)
        .define("OS_SUPPORT_CUSTOM", None)
        .define("RELEASE", None)
        .define("EXPORT", "")
        // Scratch memory of one call, all of constant size: on the stack, never in the heap.
        .define(
            match std::env::var("CARGO_CFG_TARGET_ENV").as_deref() {
                Ok("msvc") => "USE_ALLOCA",
                _ => "VAR_ARRAYS",
            },
            None,
        )
        // Fused products would make samples differ between processors.
        .flag_if_supported("-ffp-contract=off")
        .warnings(false);
    for source in SOURCES {
        build.file(format!("libspeex/libspeex/{source}.c"));
    }
    build.compile("ting_speex");
    println!("cargo::rerun-if-changed=libspeex");
    println!("cargo::rerun-if-changed=glue");
}
