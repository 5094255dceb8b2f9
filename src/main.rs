//! The binary.

fn main() {
    std::process::exit(relata::app::run(relata::cli::parse()));
}
