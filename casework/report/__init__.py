"""What people see: tables, diagrams and explanations, in 中文 and English."""
