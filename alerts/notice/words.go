package notice

import (
	"strings"
	"time"

	"nirapod/safety"
)

// banglaDigits writes the digits of a text in Bangla. Identifiers, phone
// numbers and receipts stay as they are.
var banglaDigits = strings.NewReplacer("0", "০", "1", "১", "2", "২", "3", "৩", "4", "৪",
	"5", "৫", "6", "৬", "7", "৭", "8", "৮", "9", "৯")

var banglaMonths = [...]string{"জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন",
	"জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর"}

// when writes a time for the paper, in Asia/Dhaka.
func when(t time.Time) safety.Name {
	local := t.In(Dhaka)
	return safety.Name{
		BN: banglaDigits.Replace(local.Format("2 ")) + banglaMonths[local.Month()-1] + banglaDigits.Replace(local.Format(" 2006, 15:04:05")),
		EN: local.Format("2 January 2006, 15:04:05"),
	}
}

// Bangla writes the digits of a text in Bangla.
func Bangla(text string) string { return banglaDigits.Replace(text) }

// Clock writes the time of day in Bangladesh, for a short message.
func Clock(t time.Time) safety.Name {
	text := t.In(Dhaka).Format("15:04")
	return safety.Name{BN: banglaDigits.Replace(text), EN: text}
}

// Words of the paper: the Act's words, not the screen's.
var words = map[string]safety.Name{
	"preliminary":  {BN: "প্রাথমিক, যন্ত্রের পাঠানো, স্বাক্ষর নেই", EN: "preliminary, sent by a machine, not signed"},
	"unsent":       {BN: "প্রাথমিক, যন্ত্রের লেখা, পাঠানো হয়নি, স্বাক্ষর নেই", EN: "preliminary, written by a machine, not sent, not signed"},
	"demo":         {BN: "ডেমো: বাস্তব ঘটনা নয়", EN: "DEMO: not a real occurrence"},
	"exercise":     {BN: "মহড়া বা পরীক্ষা: বাস্তব ঘটনা নয়", EN: "EXERCISE: not a real occurrence"},
	"supplements":  {BN: "নিরাপদ তালিকাভুক্ত ফায়ার প্যানেলের সহায়ক; তার বিকল্প নয়।", EN: "Nirapod supplements a listed fire panel and does not replace it."},
	"status":       {BN: "অবস্থা", EN: "status"},
	"ledger":       {BN: "খাতার শীর্ষ", EN: "head of the ledger"},
	"receipt":      {BN: "রসিদ নম্বর", EN: "receipt number"},
	"none":         {BN: "নেই", EN: "none"},
	"blank":        {BN: "মানুষ লিখবেন", EN: "a person writes this"},
	"clocks":       {BN: "আইনের সময়সীমা", EN: "Legal deadlines"},
	"clause":       {BN: "ধারা", EN: "clause"},
	"recipient":    {BN: "প্রাপক", EN: "recipient"},
	"due":          {BN: "শেষ সময়", EN: "due"},
	"met":          {BN: "পূরণ হয়েছে", EN: "met"},
	"open":         {BN: "বাকি", EN: "open"},
	"unverified":   {BN: "আইনের এই তথ্য যাচাই হয়নি", EN: "this entry of the law is not verified"},
	"unverifiedMK": {BN: "যাচাই হয়নি", EN: "not verified"},
	"fields":       {BN: "ঘটনার বিবরণ", EN: "The occurrence"},
	"evidence":     {BN: "প্রমাণ (সময় UTC)", EN: "Evidence (times in UTC)"},
	"to":           {BN: "প্রতি: মহাপরিদর্শক, কলকারখানা ও প্রতিষ্ঠান পরিদর্শন অধিদপ্তর (ডাইফ)", EN: "To: Inspector General, Department of Inspection for Factories and Establishments (DIFE)"},
	"office":       {BN: "ডাইফ কার্যালয়", EN: "DIFE office"},
	"men":          {BN: "পুরুষ", EN: "men"},
	"women":        {BN: "নারী", EN: "women"},
	"shift":        {BN: "শিফট", EN: "shift"},
	"zone":         {BN: "সময়: এশিয়া/ঢাকা (UTC+৬)", EN: "Times: Asia/Dhaka (UTC+6)"},
	"form":         {BN: "বিধিমালায় নির্ধারিত ফরম", EN: "form that the Rules prescribe"},
	"noForm":       {BN: "এটি বিধিমালার নির্ধারিত ফরম নয়।", EN: "This is not a form prescribed by the Rules."},

	"draft":     {BN: "খসড়া", EN: "draft"},
	"prepared":  {BN: "তৈরি, পাঠানো হয়নি", EN: "prepared, not sent"},
	"sent":      {BN: "পাঠানো হয়েছে, রসিদ আসেনি", EN: "sent, no receipt"},
	"received":  {BN: "প্রাপ্ত", EN: "received"},
	"settled":   {BN: "চূড়ান্ত নিষ্পত্তি", EN: "settled"},
	"withdrawn": {BN: "প্রত্যাহার", EN: "withdrawn"},

	"owner":    {BN: "মালিক", EN: "owner"},
	"occupier": {BN: "দখলদার", EN: "occupier"},
	"manager":  {BN: "ব্যবস্থাপক", EN: "manager"},
}

func word(id string) safety.Name {
	if w, ok := words[id]; ok {
		return w
	}
	return safety.Name{BN: id, EN: id}
}
