package live

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

// An Approval says that a plan may be carried out, and by what. Only the
// functions of this file make one, and it is good for one plan.
type Approval struct{ hash, by string }

// ConfirmLength is how many digits of the plan's hash a person types.
const ConfirmLength = 8

// ApproveTyped approves the plan by what a person has typed after reading it:
// the first digits of its hash.
func ApproveTyped(p *Plan, typed string) (Approval, error) {
	typed = strings.ToLower(strings.TrimSpace(typed))
	if len(p.Hash) < ConfirmLength || subtle.ConstantTimeCompare([]byte(typed), []byte(p.Hash[:ConfirmLength])) != 1 {
		return Approval{}, errors.New("not confirmed: what was typed is not the beginning of the plan's hash")
	}
	return Approval{p.Hash, "typed on a terminal"}, nil
}

// ApproveHash approves the plan by the hash of the plan that somebody has
// reviewed; 16 digits of it at least. If facts or the operator's file have
// changed since, so has the hash.
func ApproveHash(p *Plan, hash string) (Approval, error) {
	if !p.Approved(hash) {
		return Approval{}, fmt.Errorf("the plan is %.16s…, and %.16q was approved: what would be done has changed since the review, or is another plan; review it again", p.Hash, hash)
	}
	return Approval{p.Hash, "by hash"}, nil
}

// ApproveStanding approves the plan by the operator's standing policy.
func ApproveStanding(p *Plan, op *Operator) (Approval, error) {
	if p.Operator != op.Digest || !p.Standing(op) {
		return Approval{}, errors.New("the operator's standing policy (standing.apply) does not cover every action of the plan; approve it by its hash")
	}
	return Approval{p.Hash, "by the operator's standing policy"}, nil
}
