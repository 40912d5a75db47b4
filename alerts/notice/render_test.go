package notice_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"nirapod/alerts/notice"
	"nirapod/safety"
)

func facts(t testing.TB) notice.Facts {
	t.Helper()
	at := local(t, "2026-11-22 10:00:00").UTC()
	site := safety.Site{
		Building: safety.Building{Address: safety.Name{BN: "কোনাবাড়ী", EN: "Konabari"}, Upazila: "Gazipur Sadar", District: "Gazipur"},
		Factory: safety.Factory{
			ID: "padma", Name: safety.Name{BN: "পদ্মা <b>গার্মেন্টস</b>", EN: "Padma <script>alert(1)</script>"},
			Registration: safety.Fact{Value: "REG-17", Verified: true}, Licence: safety.Fact{Value: "LIC-9"},
			Office: safety.Fact{Value: "gazipur"}, ISIC: "1410", Women: 320, Men: 80,
			Contacts: []safety.Contact{
				{Role: "manager", Name: "R. Karim", Phone: "01700000000"},
				{Role: "hospital", Name: "Tajuddin", Phone: "01800000000"},
			},
		},
		Floors: []safety.Floor{{ID: "f1", Name: safety.Name{BN: "নিচতলা", EN: "ground floor"}}},
		Zones:  []safety.Zone{{ID: "store", Floor: "f1", Name: safety.Name{BN: "গুদাম", EN: "store"}}},
	}
	alert := safety.Alert{ID: "A1", ZoneID: "store", Rule: "fire-smoke", Severity: safety.Alarm, Grade: safety.Industrial, Clause: "EN 54-7", RaisedAt: at}
	confirmed := at.Add(30 * time.Second)
	return notice.Facts{
		ID: "01JD8Z3V5N0000000000000002", Site: site, Shift: "day", CreatedAt: confirmed, AwareAt: confirmed,
		Incident: safety.Incident{ID: "01JD8Z3V5N0000000000000009", FactoryID: "padma", Kind: "fire", Confirmed: true,
			Zones: []string{"store", "attic"}, OccurredAt: at, OpenedAt: at, ConfirmedAt: &confirmed},
		Alerts: []notice.Alarm{{Alert: alert, Evidence: []string{
			notice.EvidenceLine(alert, at, "store-smoke", "gw-1", "abcdef0123456789", map[string]float64{"smoke": 1, "rise": math.NaN()}),
		}}},
	}
}

func TestComposeWritesOnlyWhatAMachineKnows(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	if n.Status != safety.NoticeDraft || n.Kind != "immediate" || n.ReceiptNumber != "" || n.SentAt != nil {
		t.Errorf("a new notice stands at %s, receipt %q", n.Status, n.ReceiptNumber)
	}
	want := []string{"notice_type", "present", "victims", "work", "cause", "conduct", "injury", "absence", "treatment",
		"witnesses", "damage", "informed", "steps", "signature", "settlement"}
	if !slices.Equal(n.Blank, want) {
		t.Errorf("blank: got %v, want %v", n.Blank, want)
	}
	if len(n.Body.Contacts) != 1 || n.Body.Contacts[0].Name != "R. Karim" {
		t.Errorf("contacts %v: only owner, occupier and manager belong here", n.Body.Contacts)
	}
	if p := n.Body.Place; len(p) != 2 || p[0].BN != "নিচতলা · গুদাম" || p[1].EN != "attic" {
		t.Errorf("place %v", p)
	}
	if n.DueAt == nil || !n.DueAt.Equal(n.AwareAt) {
		t.Errorf("due %v, want at once, %v", n.DueAt, n.AwareAt)
	}
	bare := facts(t)
	bare.Site = safety.Site{}
	if got := law(t).Compose(bare, paper(t, "immediate")).Blank; !slices.Contains(got, "establishment") || !slices.Contains(got, "employed") {
		t.Errorf("what the registry does not hold is not blank: %v", got)
	}
}

func render(t *testing.T, n safety.Notice, lang string) string {
	t.Helper()
	var b bytes.Buffer
	if err := notice.HTML(&b, n, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestHTML(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	n.Status = safety.NoticeSent
	cases := []struct {
		name   string
		change func(*safety.Notice)
		has    []string
		hasNot []string
	}{
		{"both languages and the heading", func(*safety.Notice) {}, []string{
			`<html lang="bn">`, `<span lang="bn">অগ্নিকাণ্ড</span>`, `lang="en">outbreak of fire</span>`,
			"প্রাথমিক, যন্ত্রের পাঠানো, স্বাক্ষর নেই", "preliminary, sent by a machine, not signed",
			"মানুষ লিখবেন", "a person writes this", "তালিকাভুক্ত ফায়ার প্যানেলের সহায়ক", "supplements a listed fire panel",
			"২২ নভেম্বর ২০২৬, ১০:০০:০০", "22 November 2026, 10:00:00", "LIC-9", "যাচাই হয়নি", "size: A4", "attic",
			"store-smoke", "fire-smoke@abcdef012345", "rise=?",
		}, []string{"<script>", "<b>", "DEMO", "EXERCISE", "http://", "https://", "নিরাপদ অবস্থা", "ZgotmplZ"}},
		{"no receipt is said in words", func(*safety.Notice) {}, []string{"পাঠানো হয়েছে, রসিদ আসেনি", "sent, no receipt"}, []string{"প্রাপ্ত"}},
		{"a receipt stands on it", func(n *safety.Notice) {
			n.Status, n.ReceiptNumber = safety.NoticeReceived, "GAZIPUR-2026-000017"
		}, []string{"GAZIPUR-2026-000017", "প্রাপ্ত"}, nil},
		{"before it is sent it does not say so", func(n *safety.Notice) { n.Status = safety.NoticeDraft },
			[]string{"written by a machine, not sent, not signed", "খসড়া"}, []string{"sent by a machine,"}},
		{"a demonstration", func(n *safety.Notice) { n.Exercise, n.Body.Demo = true, true }, []string{"ডেমো: বাস্তব ঘটনা নয়", "DEMO: not a real occurrence"}, nil},
		{"a drill", func(n *safety.Notice) { n.Exercise = true }, []string{"মহড়া বা পরীক্ষা", "EXERCISE: not a real occurrence"}, nil},
		{"unverified law is marked", func(*safety.Notice) {}, []string{"ধারা ৮০(১) শর্তাংশ", "proviso</span> *", "this entry of the law is not verified"}, nil},
		{"verified law is not", func(n *safety.Notice) {
			n.Clocks = []safety.Clock{{Law: "L", Clause: "c", Recipient: "police", Verified: true}}
		}, []string{"police station"}, []string{"this entry of the law is not verified"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed := n
			c.change(&changed)
			got := render(t, changed, "bn")
			for _, want := range c.has {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %q", want)
				}
			}
			for _, bad := range c.hasNot {
				if strings.Contains(got, bad) {
					t.Errorf("has %q", bad)
				}
			}
		})
	}
}

func TestHTMLLanguages(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	if en := render(t, n, "en"); !strings.Contains(en, `<html lang="en">`) || !strings.Contains(en, `<span lang="en">outbreak of fire</span> <span class="second" lang="bn">অগ্নিকাণ্ড</span>`) {
		t.Error("English does not lead, or Bangla is missing")
	}
	if err := notice.HTML(&bytes.Buffer{}, n, "fr"); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("fr: got %v", err)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	var b bytes.Buffer
	if err := notice.JSON(&b, n); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"id", "incident_id", "incident_kind", "kind", "status", "receipt_number", "occurred_at", "aware_at",
		"created_at", "sent_at", "received_at", "seen_at", "due_at", "clocks", "factory_id"} {
		if !strings.Contains(b.String(), `"`+key+`":`) {
			t.Errorf("no member %s", key)
		}
	}
	var back safety.Notice
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.ID != n.ID || !back.AwareAt.Equal(n.AwareAt) || len(back.Clocks) != len(n.Clocks) {
		t.Errorf("came back as %+v, %v", back, err)
	}
}

func TestSignalSaysThatNobodyVerifiedIt(t *testing.T) {
	s := notice.ComposeSignal(facts(t), false, "unresolved")
	if s.Heading.BN != "সংকেত, যাচাই হয়নি" || s.Confirmed || s.Grade != safety.Industrial || s.Confidence != "unresolved" || s.Status != safety.NoticePrepared {
		t.Errorf("signal %+v", s)
	}
}
