//! Finds and reads the workspace and the campaign that a command was pointed to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exit::{Coded, Exit};
use super::list::ListFlags;
use super::printer::Printer;
use super::providers::{self, mx};
use crate::campaign::{Campaign, Problems, Workspace, workspace};
use crate::check;
use crate::compose::{Composer, Shelf};
use crate::depot::{Access, Depot};
use crate::ledger::read::Reader;
use crate::pipeline::{Maker, Means};
use crate::render::Editions;
use crate::source::List;
use crate::text;
use crate::words::Text;

/// The workspace that a campaign argument, or this folder, lies in.
pub(super) fn workspace(argument: Option<&str>) -> anyhow::Result<Workspace> {
    let near = argument.map(Path::new).filter(|path| path.is_file());
    let start = near
        .and_then(Path::parent)
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let Some(root) = Workspace::find(start) else {
        let what = text!("no {file} here or in a folder above", file = workspace::FILE);
        return Err(Coded::new(Exit::Config, what)
            .hint(text!("`mailshot init` makes a workspace to begin with"))
            .into());
    };
    Ok(Workspace::load(&relative(&root))?)
}

/// The workspace that this folder lies in, if it lies in one. With a fault in it, one can do without: what mailshot knows
/// by itself may help to mend it.
pub(super) fn workspace_if_any(printer: Printer) -> Option<Workspace> {
    let root = Workspace::find(Path::new("."))?;
    let loaded = Workspace::load(&relative(&root));
    if loaded.is_err() {
        printer.warn(text!(
            "{file} has a fault, so its own providers and accounts are left out; `mailshot check` says which",
            file = workspace::FILE
        ));
    }
    loaded.ok()
}

/// The campaign's file: the argument itself, or `campaigns/NAME.toml`.
pub(super) fn campaign_file(argument: &str, workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let direct = PathBuf::from(argument);
    if direct.is_file() {
        return Ok(direct);
    }
    let named = workspace.root.join("campaigns").join(format!("{argument}.toml"));
    if !argument.contains('/') && named.is_file() {
        return Ok(named);
    }
    let what = text!("there is no campaign file `{argument}`", argument);
    Err(Coded::new(Exit::Data, what)
        .hint(text!("give its path, such as campaigns/hello.toml, or its name"))
        .into())
}

/// The workspace and the campaign of a command, checked.
pub(super) fn campaign(
    argument: &str,
    flags: Option<ListFlags>,
    printer: Printer,
) -> anyhow::Result<(Workspace, Campaign)> {
    let mut workspace = workspace(Some(argument))?;
    let file = campaign_file(argument, &workspace)?;
    let mut campaign = Campaign::load(&file, &workspace)?;
    if campaign.account.is_unresolved() {
        let provider = find_provider(&workspace, &campaign, printer)?;
        workspace = Workspace::load_with(&workspace.root, Some(&provider))?;
        campaign = Campaign::load(&file, &workspace)?;
    }
    if let Some(flags) = flags {
        flags.apply(&mut campaign.list);
    }
    Ok((workspace, campaign))
}

/// The provider of the sender's domain, for an account that names neither provider nor host. What was found is said:
/// nobody is asked in silence.
fn find_provider(workspace: &Workspace, campaign: &Campaign, printer: Printer) -> anyhow::Result<String> {
    let account = &campaign.account.name;
    let domain = campaign.from.address.domain();
    let book = &workspace.providers;
    let found = match mx::find(book, domain, &[]) {
        Ok(found) => found,
        Err(error) => {
            let hint = text!(
                "give a `provider`, or `host`, `port` and `tls`; {why}",
                why = Text::error(&error)
            );
            return Err(Problems::from(workspace.no_server(account, hint)).into());
        }
    };
    let said = providers::said(book, domain, &found, printer.lang);
    let Some(provider) = found.provider() else {
        let hint = text!(
            "give a `provider`, or `host`, `port` and `tls`; {why}",
            why = said
        );
        return Err(Problems::from(workspace.no_server(account, hint)).into());
    };
    printer.warn(text!(
        "account `{account}` names no provider; {said}",
        account,
        said
    ));
    Ok(provider.to_owned())
}

/// The name that a campaign argument has in the ledger: what its file says, or the argument itself.
pub(super) fn campaign_name(argument: &str, workspace: &Workspace) -> anyhow::Result<String> {
    match campaign_file(argument, workspace) {
        // A campaign whose list is gone still has a story.
        Ok(file) => Ok(Campaign::name_in(&file)?),
        Err(_) if !argument.contains('/') => Ok(argument.to_owned()),
        Err(error) => Err(error),
    }
}

/// The path as one would type it here, so that messages stay short.
fn relative(root: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    let inside = here.and_then(|here| root.strip_prefix(here).map(Path::to_owned).ok());
    match inside {
        Some(path) => path,
        None => root.to_owned(),
    }
}

/// The list and the means to make mails of a campaign, checked as far as one can without reading the rows.
pub(super) fn maker(
    workspace: &Workspace,
    campaign: &Campaign,
    uid: String,
) -> anyhow::Result<(List, Maker)> {
    let list = List::open(&campaign.recipients, &campaign.list)?;
    let maker = maker_for(workspace, campaign, &list, uid)?;
    Ok((list, maker))
}

/// The means to make mails for this list.
pub(super) fn maker_for(
    workspace: &Workspace,
    campaign: &Campaign,
    list: &List,
    uid: String,
) -> anyhow::Result<Maker> {
    let templates = match Editions::compile(campaign, list.columns(), &workspace.root) {
        Ok(templates) => templates,
        // Problems come all together: those of the rows as well.
        Err(mut problems) => {
            problems.extend(check::row_problems(list)?);
            return Err(problems.into());
        }
    };
    let signers = campaign.account.signers(&campaign.from.address)?;
    let composer = Composer::new(campaign, campaign.unsubscribe.key()?).signed_by(signers)?;
    let means = Means {
        templates,
        composer,
        shelf: Shelf::new(&workspace.root, &campaign.html),
        depot: depot(workspace, campaign, Access::None)?.map(Arc::new),
    };
    Ok(Maker::new(campaign.clone(), uid, list.columns(), means))
}

/// Where files lie that this campaign links to, if it does.
pub(super) fn depot(
    workspace: &Workspace,
    campaign: &Campaign,
    access: Access,
) -> anyhow::Result<Option<Depot>> {
    let settings = workspace.depot.as_ref().filter(|_| campaign.has_links());
    settings
        .map(|settings| Depot::open(settings, &workspace.root, access))
        .transpose()
}

/// The `uid` that Message-IDs derive from: the ledger's, once the campaign is in it.
pub(super) fn uid(workspace: &Workspace, campaign: &Campaign) -> anyhow::Result<String> {
    let reader = Reader::open(&workspace.ledger)?;
    let known = reader
        .map(|reader| reader.uid(&campaign.name))
        .transpose()?
        .flatten();
    Ok(known.unwrap_or_else(|| format!("not enrolled: {}", campaign.name)))
}
