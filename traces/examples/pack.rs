//! Turns a trace into the binary form: `cargo run --release -p sigurg-traces --example pack -- IN OUT`.

use std::error::Error;
use std::fs::File;
use std::path::Path;

use sigurg_traces::binary::BinaryWriter;
use sigurg_traces::{Options, source};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(output), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return Err("two file names are needed: pack IN OUT".into());
    };
    let place = |e| format!("{input}: {e}");
    let mut reader = source::open(Path::new(&input), Options::default()).map_err(place)?;
    let mut writer = BinaryWriter::new(File::create(&output)?, reader.header())?;
    while let Some(event) = reader.next().map_err(place)? {
        writer.write(&event, reader.symbols())?;
    }
    writer.finish()?;
    Ok(())
}
