package models_test

import (
	"testing"

	"github.com/zookit/zookit/integration/faults/history"
	"github.com/zookit/zookit/integration/faults/models"
)

// documents are stories of one document.
type documents struct {
	*story
	zxid int64
}

func tellDocuments(t *testing.T) *documents {
	t.Helper()
	d := &documents{story: tell(t), zxid: 100}
	d.read("a", 0, "first", "")
	return d
}

func (d *documents) write(client, name, id string) *history.Pending {
	return d.begin(client, name, models.DocumentWrite{Key: "k", ID: id})
}

func document(number int32, id, base string) models.Document {
	return models.Document{Key: "k", Number: number, Zxid: 100 + int64(number), ID: id, Base: base}
}

func (d *documents) read(client string, number int32, id, base string) {
	d.of(client).Note(models.ReadDocument, document(number, id, base))
}

func (d *documents) seen(client string, look int64, number int32, id, base string) {
	doc := document(number, id, base)
	doc.Look, doc.Force = look, true
	d.of(client).Note(models.SeenDocument, doc)
}

func (d *documents) require(rules ...string) {
	d.t.Helper()
	requireRules(d.t, models.Documents(d.end(), "first"), rules...)
}

// What is set, updated, rolled back and skipped is all right, and so is what is unknown, whether it was done or not.
func TestDocuments(t *testing.T) {
	d := tellDocuments(t)
	d.write("a", models.SetDocument, "a1").OK(nil)
	d.seen("b", 1, 1, "a1", "")
	d.write("b", models.UpdateDocument, "b1").Unknown(errLost) // and was done
	d.seen("a", 1, 2, "b1", "a1")
	d.write("b", models.UpdateDocument, "b2").Unknown(errLost) // and was not
	d.write("c", models.UpdateDocument, "c1")                  // its process was killed
	d.write("a", models.RollBackDocument, "a1").OK(nil)
	own := d.write("b", models.UpdateDocument, "b3")
	own.OK(nil)
	own.Note(d.clock(), models.OwnDocument, document(4, "b3", "a1"))
	d.write("a", models.UpdateDocument, "a2").Fail(errLost)
	d.seen("a", 1, 4, "b3", "a1")
	d.seen("b", 2, 1, "a1", "") // another look, at a server that lags behind
	d.read("b", 3, "a1", "")
	d.of("a").Note(models.Settled, nil)
	d.require()
}

func TestDocumentsGoBack(t *testing.T) {
	d := tellDocuments(t)
	d.write("a", models.SetDocument, "a1").OK(nil)
	d.seen("b", 1, 1, "a1", "")
	d.seen("b", 1, 0, "first", "")
	d.require(models.RuleForward)
}

func TestDocumentsThatNobodyWrote(t *testing.T) {
	d := tellDocuments(t)
	d.seen("b", 1, 1, "a1", "")
	d.write("a", models.SetDocument, "a1").OK(nil) // later
	d.write("a", models.SetDocument, "a2").Fail(errLost)
	d.seen("b", 1, 2, "a2", "")
	d.require(models.RuleWritten, models.RuleWritten)

	d = tellDocuments(t)
	d.write("a", models.SetDocument, "a1").OK(nil)
	d.write("b", models.SetDocument, "b1").Unknown(errLost)
	d.seen("a", 1, 1, "a1", "")
	d.seen("b", 1, 1, "b1", "")
	d.require(models.RuleOneStory)
}

func TestBadDocuments(t *testing.T) {
	d := tellDocuments(t)
	d.write("a", models.SpoilDocument, "a1").OK(nil)
	doc := document(1, "a1", "")
	doc.Bad = true
	d.of("b").Note(models.SeenDocument, doc) // in a tree, which takes everything
	d.require()
	doc.Force = true
	d.of("b").Note(models.SeenDocument, doc)
	d.require(models.RuleBad)
}

func TestLostUpdates(t *testing.T) {
	d := tellDocuments(t)
	d.write("a", models.UpdateDocument, "a1").OK(nil)
	d.write("b", models.UpdateDocument, "b1").OK(nil)
	d.read("a", 1, "a1", "first")
	d.read("a", 2, "b1", "first")
	d.require(models.RuleUpdate)

	// What was between is not known.
	d = tellDocuments(t)
	d.write("a", models.UpdateDocument, "a1").OK(nil)
	d.write("b", models.UpdateDocument, "b1").OK(nil)
	d.read("a", 1, "a1", "first")
	d.read("a", 3, "b1", "first")
	d.require()
}

func TestUpdatesMadeTwice(t *testing.T) {
	d := tellDocuments(t)
	d.write("a", models.SetDocument, "a1").Unknown(errLost)
	d.read("b", 1, "a1", "")
	d.read("b", 2, "a1", "")
	d.require(models.RuleOnce)
}

func TestAcknowledgedWritesThatWereNot(t *testing.T) {
	d := tellDocuments(t)
	d.write("a", models.SetDocument, "a1").OK(nil)
	d.write("b", models.SetDocument, "b1").OK(nil)
	d.read("b", 1, "b1", "")
	d.require(models.RuleKept)

	// Rolled back to, and that was not done.
	d = tellDocuments(t)
	d.write("a", models.SetDocument, "a1").OK(nil)
	d.write("a", models.RollBackDocument, "first").OK(nil)
	d.read("b", 1, "a1", "")
	d.require(models.RuleKept)
}

func TestDocumentAtHand(t *testing.T) {
	d := tellDocuments(t)
	op := d.write("a", models.SetDocument, "a1")
	op.OK(nil)
	op.Note(d.clock(), models.OwnDocument, document(0, "first", ""))
	d.read("b", 1, "a1", "")
	d.of("a").Note(models.Missed, models.Difference{Text: "a1"})
	d.require(models.RuleOwn, models.RuleMissed)
}
