//! A workspace to measure in: templates of a newsletter's size, and one recipient with fifteen columns.

use std::fmt::Write as _;

use mailshot::campaign::{Campaign, Workspace};
use mailshot::compose::{Composer, Shelf};
use mailshot::mail::Recipient;
use mailshot::pipeline::{Maker, Means};
use mailshot::render::Editions;
use mailshot::source::{List, Row};
use tempfile::TempDir;

/// The moment at which all mails are made, in milliseconds.
pub(crate) const NOW_MS: i64 = 1_795_410_622_000;

const WORKSPACE: &str = r#"[sender]
from = "Aurora Home <news@aurora-home.example>"
postal_address = "Aurora Home Ltd., 88 Harbour Road, Hangzhou 310000, China"
[account.main]
host = "localhost"
port = 25
tls = "none"
[unsubscribe]
url = "https://news.aurora-home.example"
mailto = "unsubscribe@aurora-home.example"
"#;

const CAMPAIGN: &str = r#"subject = "{{default first_name \"Hello\"}}, your spring box from {{city}} is ready"
preheader = "{{points}} points are waiting for you"
recipients = "list.csv"
html = "body.html.hbs"
"#;

const HEADER: &str = "email,first_name,last_name,company,city,country,points,valid_until,plan,agent,phone,order_no,total,coupon,orders";
const CELLS: &str = "jose.nunez@example.org,José,Núñez,Núñez & Söhne,Málaga,Spain,1240,2027-03-03,gold,Mei Han,+34 952 000 000,A-20931,1284.5,SPRING-9,";

/// Which template the campaign sends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    /// 23 KB of HTML, 15 variables, and an `#each` over ten orders.
    Each,
    /// The same without the `#each`.
    Flat,
    /// 2 KB of HTML and five variables.
    Small,
}

impl Size {
    fn html(self) -> String {
        match self {
            Self::Each => newsletter(29, true),
            Self::Flat => newsletter(30, false),
            Self::Small => small(),
        }
    }
}

/// A workspace with a campaign and its list.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) campaign: Campaign,
    pub(crate) list: List,
    pub(crate) recipient: Recipient,
}

impl World {
    pub(crate) fn new(size: Size) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        file("mailshot.toml", WORKSPACE);
        file("campaign.toml", CAMPAIGN);
        file("body.html.hbs", &size.html());
        file(
            "list.csv",
            &format!("{HEADER}\n{CELLS}\"{}\"\n", orders().replace('"', "\"\"")),
        );
        let workspace = Workspace::load(folder.path()).unwrap();
        let campaign = Campaign::load(&folder.path().join("campaign.toml"), &workspace).unwrap();
        let list = List::open(&campaign.recipients, &campaign.list).unwrap();
        let Some(Ok(Row::Usable(recipient))) = list.rows().unwrap().next() else {
            panic!("the list has one good row");
        };
        Self {
            folder,
            campaign,
            list,
            recipient,
        }
    }

    pub(crate) fn templates(&self) -> Editions {
        Editions::compile(&self.campaign, self.list.columns(), self.folder.path()).unwrap()
    }

    pub(crate) fn composer(&self) -> Composer {
        Composer::new(&self.campaign, self.campaign.unsubscribe.key().unwrap())
    }

    pub(crate) fn maker(&self) -> Maker {
        Maker::new(
            self.campaign.clone(),
            "0192f0c1-7a5e-7000-8000-000000000001".to_owned(),
            self.list.columns(),
            Means {
                templates: self.templates(),
                composer: self.composer(),
                shelf: Shelf::new(self.folder.path(), &self.campaign.html),
                depot: None,
            },
        )
    }
}

fn orders() -> String {
    let orders =
        (0..10).map(|n| format!("{{\"name\":\"Tea & cups, no. {n}\",\"count\":{n},\"price\":1{n}.5}}"));
    format!("[{}]", orders.collect::<Vec<_>>().join(","))
}

fn newsletter(sections: usize, has_orders: bool) -> String {
    let mut html = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Spring</title>\n<!--[if mso]><style>td{font-family:Arial}</style><![endif]-->\n</head>\n<body style=\"margin:0;padding:0;background:#f4f4f4\">\n<p>Dear {{default first_name \"friend\"}} {{last_name}},</p>\n<p>{{company}} in {{city}}, {{country}}: you have {{number points}} points until {{date valid_until \"%d %B %Y\"}}.</p>\n{{#if plan}}\n<p>Your plan is {{upper plan}}.</p>\n{{else}}\n<p>You have no plan yet.</p>\n{{/if}}\n",
    );
    for section in 0..sections {
        write!(
            html,
            "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"max-width:600px;margin:0 auto;background:#ffffff\">\n<tr>\n<td style=\"padding:24px 32px;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:24px;color:#222222\">\n<h2 style=\"margin:0 0 8px;font-size:20px;line-height:28px\">Offer {section} of this spring</h2>\n<p style=\"margin:0 0 16px\">Fresh from the garden, packed by hand, and sent on the same day to your door.</p>\n<a href=\"https://shop.aurora-home.example/offers/{section}\" style=\"display:inline-block;padding:12px 24px;background:#0a6b4b;color:#ffffff;text-decoration:none\">See the offer</a>\n</td>\n</tr>\n</table>\n"
        )
        .unwrap();
    }
    if has_orders {
        html.push_str("<table>\n<tr><th>What</th><th>How many</th><th>Price</th></tr>\n{{#each orders}}\n<tr><td>{{name}}</td><td>{{count}}</td><td>{{number price 2}}</td></tr>\n{{/each}}\n</table>\n");
    }
    html.push_str("<p>Order {{order_no}}: {{number total 2}}. Coupon {{coupon}}. Ask {{agent}}, {{phone}}.</p>\n<p>This goes to {{email}}.</p>\n</body>\n</html>\n");
    html
}

fn small() -> String {
    let line = "<p style=\"margin:0 0 16px\">Fresh from the garden, packed by hand, and sent on the same day to your door.</p>\n";
    format!(
        "<html><body>\n<p>Dear {{{{first_name}}}} {{{{last_name}}}},</p>\n{}<p>{{{{city}}}}: {{{{points}}}} points, {{{{coupon}}}}.</p>\n</body></html>\n",
        line.repeat(17)
    )
}
