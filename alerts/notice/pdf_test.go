package notice_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"nirapod/alerts/notice"
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
	out, err := exec.Command(tool(t, "pdftotext"), append(options, file, "-")...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("NIRAPOD_REQUIRE") == "all":
		t.Fatalf("%s is not installed (Debian: poppler-utils)", name)
	default:
		t.Skipf("%s is not installed (Debian: poppler-utils)", name)
	}
	return path
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
	n := law(t).Compose(facts(t))
	n.Status, n.Body.Demo = safety.NoticeSent, true
	for _, lang := range []string{"bn", "en"} {
		paper := printed(t, n, lang)
		for _, mode := range []string{"-raw", "-enc"} {
			options := []string{mode}
			if mode == "-enc" { // pdftotext as it comes
				options = []string{"-enc", "UTF-8"}
			}
			got := readBack(t, paper, options...)
			for _, want := range sentences(t, n) {
				if !strings.Contains(got, want) {
					t.Errorf("%s %s: lacks %q", lang, mode, want)
				}
			}
		}
	}
}

var _ = errors.Is
var _ = time.Now
