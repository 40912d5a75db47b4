package notice_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nirapod/alerts/notice"
	"nirapod/alerts/notice/pdf"
	"nirapod/internal/installed"
	"nirapod/safety"
)

func printed(t testing.TB, n safety.Notice, lang string) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := notice.PDF(&b, n, lang); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readBack returns what pdftotext reads, with every run of spaces and line
// ends as one space. It skips the test where poppler-utils is not installed.
func readBack(t *testing.T, paper []byte, options ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "notice.pdf")
	if err := os.WriteFile(file, paper, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(installed.Program(t, "poppler-utils", "pdftotext"), append(options, file, "-")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

// sentences are the texts of a notice that a reader has to get back.
func sentences(t *testing.T, n safety.Notice) []string {
	t.Helper()
	l := law(t)
	kind, _ := l.Kind(n.IncidentKind)
	texts := []string{
		kind.Name.BN, kind.Name.EN, n.ID, n.Body.Factory.BN, n.Body.Factory.EN, n.Body.Address.BN, n.Body.Office,
		"দুর্ঘটনার তাৎক্ষণিক খবর", "প্রাথমিক, যন্ত্রের পাঠানো, স্বাক্ষর নেই", "preliminary, sent by a machine, not signed",
		"প্রতি: মহাপরিদর্শক, কলকারখানা ও প্রতিষ্ঠান পরিদর্শন অধিদপ্তর (ডাইফ)", "মানুষ লিখবেন", "a person writes this",
		"নিরাপদ তালিকাভুক্ত ফায়ার প্যানেলের সহায়ক; তার বিকল্প নয়।", "Nirapod supplements a listed fire panel and does not replace it.",
		"এটি বিধিমালার নির্ধারিত ফরম নয়।", "সময়: এশিয়া/ঢাকা (UTC+৬)", "আইনের এই তথ্য যাচাই হয়নি", "যাচাই হয়নি",
		"২২ নভেম্বর ২০২৬, ১০:০০:০০", "22 November 2026, 10:00:00", "পাঠানো হয়েছে, রসিদ আসেনি", "নারী ৩২০", "পুরুষ ৮০",
		"নিচতলা · গুদাম", "প্রমাণ (সময় UTC)", "LIC-9", "R. Karim, 01700000000",
	}
	for _, f := range l.Fields {
		if f.ID != "evidence" {
			texts = append(texts, f.Label.BN, f.Label.EN)
		}
	}
	for _, c := range n.Clocks {
		texts = append(texts, l.Recipient(c.Recipient).BN)
		for _, clause := range l.Clauses {
			if clause.Law == c.Law && clause.Clause == c.Clause {
				texts = append(texts, clause.BN)
			}
		}
	}
	return append(texts, n.Body.Evidence...)
}

func TestPDFReadsBackExactly(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	n.Status, n.Body.Demo = safety.NoticeSent, true
	for _, lang := range []string{"bn", "en"} {
		paper := printed(t, n, lang)
		for name, options := range map[string][]string{"in the order of the file": {"-raw"}, "as it comes": nil} {
			got := readBack(t, paper, options...)
			for _, want := range sentences(t, n) {
				if !strings.Contains(got, want) {
					t.Errorf("%s leads, pdftotext %s: lacks %q", lang, name, want)
				}
			}
		}
	}
}

// What makes the two papers differ, and nothing else, differs in the PDF too.
func TestPDFSaysWhatTheNoticeIs(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	n.Status = safety.NoticeSent
	cases := []struct {
		name   string
		change func(*safety.Notice)
		has    []string
		hasNot []string
	}{
		{"no receipt is said in words", func(*safety.Notice) {}, []string{"পাঠানো হয়েছে, রসিদ আসেনি", "রসিদ নম্বর · receipt number নেই · none"}, []string{"প্রাপ্ত ·", "DEMO", "EXERCISE"}},
		{"a receipt stands on it", func(n *safety.Notice) {
			n.Status, n.ReceiptNumber = safety.NoticeReceived, "GAZIPUR-2026-000017"
		}, []string{"GAZIPUR-2026-000017", "প্রাপ্ত · received"}, nil},
		{"before it is sent it does not say so", func(n *safety.Notice) { n.Status = safety.NoticeDraft },
			[]string{"written by a machine, not sent, not signed", "খসড়া · draft"}, []string{"sent by a machine,"}},
		{"a drill", func(n *safety.Notice) { n.Exercise = true }, []string{"মহড়া বা পরীক্ষা: বাস্তব ঘটনা নয় · EXERCISE: not a real occurrence"}, []string{"DEMO"}},
		{"unverified law is marked", func(*safety.Notice) {}, []string{"Labour Act 2006, s.80(1) proviso *", "* আইনের এই তথ্য যাচাই হয়নি"}, nil},
		{"verified law is not", func(n *safety.Notice) {
			n.Clocks = []safety.Clock{{Law: "L", Clause: "c", Recipient: "police", Verified: true}}
		}, []string{"police station"}, []string{"আইনের এই তথ্য যাচাই হয়নি", "*"}},
		{"a met clock", func(n *safety.Notice) { n.Clocks[0].MetAt = &n.AwareAt }, []string{"পূরণ হয়েছে"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			changed := n
			changed.Clocks = slices.Clone(n.Clocks)
			c.change(&changed)
			got := readBack(t, printed(t, changed, "bn"), "-raw")
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

// Pages get apart: none may lose what marks a drill, nor which notice it is of.
func TestEveryPageOfAPDFSaysWhatItIs(t *testing.T) {
	n := law(t).Compose(facts(t), paper(t, "immediate"))
	n.Exercise = true
	paper := printed(t, n, "en")
	for page := 1; page <= 3; page++ {
		at := strconv.Itoa(page)
		got := readBack(t, paper, "-f", at, "-l", at)
		for _, want := range []string{"EXERCISE: not a real occurrence", n.ID, at + " / 3", "not signed"} {
			if !strings.Contains(got, want) {
				t.Errorf("page %d lacks %q", page, want)
			}
		}
	}
}

func TestPDFTakesAnyNotice(t *testing.T) {
	full := law(t).Compose(facts(t), paper(t, "immediate"))
	cases := map[string]func(*safety.Notice){
		"nothing in it":      func(n *safety.Notice) { *n = safety.Notice{} },
		"a name of one word": func(n *safety.Notice) { n.Body.Factory.BN = strings.Repeat("ক্ষ্ম", 4000) },
		"a name of pages":    func(n *safety.Notice) { n.Body.Factory.EN = strings.Repeat("Padma পদ্মা ", 4000) },
		"only marks":         func(n *safety.Notice) { n.Body.Address.BN = strings.Repeat("\u09cd\u0981\u0301", 2000) },
		"other scripts":      func(n *safety.Notice) { n.Body.Factory = safety.Name{BN: "火災 حريق 🔥", EN: "\xff\x00\u202e"} },
		"a long receipt":     func(n *safety.Notice) { n.ReceiptNumber, n.ID = strings.Repeat("9", 5000), strings.Repeat("0", 5000) },
		"years out of range": func(n *safety.Notice) { n.OccurredAt = time.Date(-20_000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"much evidence":      func(n *safety.Notice) { n.Body.Evidence = slices.Repeat([]string{"", "x · y"}, 500) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			n := full
			change(&n)
			for _, lang := range []string{"bn", "en"} {
				if paper := printed(t, n, lang); !bytes.HasPrefix(paper, []byte("%PDF-1.7\n")) {
					t.Errorf("%s: %.20q", lang, paper)
				}
			}
		})
	}
	full.Body.Factory.BN = strings.Repeat("x ", 1_000_000)
	if err := notice.PDF(&bytes.Buffer{}, full, "bn"); !errors.Is(err, pdf.ErrTooLong) {
		t.Errorf("a name of a million words: %v", err)
	}
	if err := notice.PDF(&bytes.Buffer{}, full, "fr"); !errors.Is(err, safety.ErrInvalid) {
		t.Errorf("fr: got %v", err)
	}
}
