package rules

import (
	"testing"
)

// A gateway's file has zones, sensors and boilers; it has no calendar, exits or
// licences.
func TestShippedRulesOfAGatewayAskWhatItsFileSays(t *testing.T) {
	packs, err := Load(Shipped)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range packs {
		for i := range p.Rules {
			r := &p.Rules[i]
			if r.Runs&Gateway == 0 {
				continue
			}
			asked++
			b, _ := lowerRule(r, newSlots())
			if a := b.uses.place; a.calendar || a.shifts || a.hours || a.ways || a.licence || r.Scope == ScopeExit {
				t.Errorf("%s.yml: %s runs on gateways and asks what their file does not say", p.Name, r.Name)
			}
		}
	}
	if asked < 20 {
		t.Errorf("%d rules run on gateways: the test says little", asked)
	}
}
