"""What a data set is made of: files that become images and masks."""
