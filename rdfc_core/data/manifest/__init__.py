"""A list of cases made from what people have: folders of images and masks, spreadsheets."""
