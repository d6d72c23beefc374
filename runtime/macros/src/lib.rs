//! The attribute `#[sigurg::preemptible]`, documented where `sigurg` exports it.

mod budget;
mod refuse;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ItemFn;

/// Makes a function that can be preempted without signals: see the documentation of `sigurg`.
#[proc_macro_attribute]
pub fn preemptible(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    match expand(arguments.into(), item.into()) {
        Ok(function) => function.into(),
        Err(error) => error.to_compile_error().into(),
    }
}

fn expand(arguments: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    refuse::arguments(&arguments)?;
    let mut function: ItemFn =
        syn::parse2(item.clone()).map_err(|error| refuse::no_function(&item, error))?;
    refuse::signature(&function.sig)?;
    budget::insert(&mut function);
    Ok(function.into_token_stream())
}
