//! Has the migrations embedded anew when one is added.

#[expect(clippy::disallowed_macros, reason = "cargo listens to what is printed here")]
fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
