package alerts

import (
	"fmt"
	"slices"
	"strings"

	"nirapod/alerts/notice"
	"nirapod/safety"
)

// what says what is wrong, and act what to do first, in the words of the screens.
var (
	what = map[safety.Hazard]safety.Name{
		safety.HazardFire: {BN: "আগুন", EN: "Fire"}, safety.HazardGas: {BN: "গ্যাস", EN: "Gas"},
		safety.HazardCrowd: {BN: "অতিরিক্ত ভিড়", EN: "Too many people"}, safety.HazardExit: {BN: "বের হওয়ার পথ দেখুন", EN: "Check the exit"},
		safety.HazardBoiler: {BN: "বয়লার", EN: "Boiler"}, safety.HazardStructure: {BN: "ভবন", EN: "Building"},
	}
	act = map[safety.Hazard]safety.Name{
		safety.HazardFire: {BN: "সবাই বের হন", EN: "Everyone out"}, safety.HazardGas: {BN: "সবাই দূরে যান, আগুন জ্বালাবেন না", EN: "Everyone away, no flames"},
		safety.HazardBoiler: {BN: "দূরে থাকুন", EN: "Keep away"}, safety.HazardStructure: {BN: "বাইরে থাকুন", EN: "Stay outside"},
	}
	anyAlarm  = safety.Name{BN: "অ্যালার্ম", EN: "Alarm"}
	goLook    = safety.Name{BN: "গিয়ে দেখুন", EN: "Go and look"}
	drill     = safety.Name{BN: "মহড়া", EN: "DRILL"}
	sure      = safety.Name{BN: "নিশ্চিত", EN: "Confirmed"}
	unsure    = safety.Name{BN: "যাচাই হয়নি", EN: "Not verified"}
	unheeded  = safety.Name{BN: "কেউ সাড়া দেননি", EN: "Nobody has answered"}
	heardLate = safety.Name{BN: "দেরিতে পাওয়া", EN: "Heard late"}
	somewhere = safety.Name{BN: "কারখানা", EN: "the factory"}
)

// tell writes what one step says of an alert: what, where, what to do, how
// sure, since when. The first words say the most: a network may cut the rest.
func tell(site safety.Site, a safety.Alert, step string, confirmed bool) safety.Name {
	said := []safety.Name{or(what, a.Hazard, anyAlarm), placeOf(site, a.ZoneID), goLook, unsure, notice.Clock(a.OccurredAt), site.Factory.Name}
	if a.Severity == safety.Evacuate || confirmed {
		said[2] = or(act, a.Hazard, goLook)
	}
	if confirmed {
		said[3] = sure
	}
	if a.Late {
		said = slices.Insert(said, 4, heardLate)
	}
	if step == stepAgain {
		said = slices.Insert(said, 0, unheeded)
	}
	if a.Exercise {
		said = slices.Insert(said, 0, drill)
	}
	var bn, en []string
	for _, words := range said {
		bn, en = append(bn, words.BN), append(en, words.EN)
	}
	return safety.Name{BN: strings.Join(bn, "। "), EN: strings.Join(en, ". ")}
}

// counted says of how many messages this is the first.
func counted(text safety.Name, more int) safety.Name {
	n := fmt.Sprintf("(+%d) ", more)
	return safety.Name{BN: notice.Bangla(n) + text.BN, EN: n + text.EN}
}

func or(words map[safety.Hazard]safety.Name, h safety.Hazard, other safety.Name) safety.Name {
	if w, ok := words[h]; ok {
		return w
	}
	return other
}

// placeOf names a zone and its floor.
func placeOf(site safety.Site, zone string) safety.Name {
	i := slices.IndexFunc(site.Zones, func(z safety.Zone) bool { return z.ID == zone })
	if i < 0 {
		return somewhere
	}
	z := site.Zones[i]
	name := z.Name
	for _, f := range site.Floors {
		if f.ID == z.Floor {
			name.BN, name.EN = name.BN+", "+f.Name.BN, name.EN+", "+f.Name.EN
		}
	}
	return name
}
