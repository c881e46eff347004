package table

// MaxAdopted is how many bytes are held while they are moved.
func MaxAdopted() *int { return &maxAdopted }
