//! What the attribute cannot be put on, and why, at the place where that stands.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Error, Result, Signature};

/// Arguments of the attribute: there are none.
pub(crate) fn arguments(given: &TokenStream) -> Result<()> {
    if given.is_empty() {
        return Ok(());
    }
    Err(Error::new_spanned(given, "#[preemptible] takes no arguments"))
}

/// The error for an item that is no function with a body; `error` is what the parser said of it.
pub(crate) fn no_function(item: &TokenStream, error: Error) -> Error {
    let is_fn = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "fn");
    let has_body = matches!(item.clone().into_iter().last(), Some(TokenTree::Group(_)));
    match item.clone().into_iter().find(is_fn) {
        // A mistake in the body is the parser's to tell.
        Some(_) if has_body => error,
        Some(word) => Error::new(
            word.span(),
            "#[preemptible] needs the body of the function: put it on the implementation of the method",
        ),
        None => Error::new_spanned(item, "#[preemptible] goes on a function"),
    }
}

/// A function whose calls cannot be safe points.
pub(crate) fn signature(signature: &Signature) -> Result<()> {
    if let Some(word) = &signature.asyncness {
        let what = "#[preemptible] does not go on an async fn: it is the executor that runs the body, and each await is where it \
                    can stop; put it on the functions that compute between two awaits";
        return Err(Error::new_spanned(word, what));
    }
    if let Some(word) = &signature.constness {
        let what = "#[preemptible] does not go on a const fn: the compiler runs it, too, and has no goroutines to go on with";
        return Err(Error::new_spanned(word, what));
    }
    Ok(())
}
